#!/usr/bin/env node
import { launch } from './bundle.js'

await launch('faultline')
