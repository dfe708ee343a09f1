#!/usr/bin/env node
/** Starts the command line from its bundle, which is built first when the sources changed: see `bundle.js`. */
import { launch } from './bundle.js'

await launch('faultline')
