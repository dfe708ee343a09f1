/** What the subcommands of CLUSTER get: the context and the view that they show or change. */
import { viewOf } from '../cluster/cluster.ts'
import type { ClusterView } from '../cluster/view.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

export interface ClusterCommandContext {
  context: Context
  view: ClusterView
}

const DISABLED = 'ERR This instance has cluster support disabled'

/** A command's `run` that answers an error on a server without cluster support. */
export function inCluster(
  run: (command: ClusterCommandContext, args: Arguments) => void,
): (context: Context, args: Arguments) => void {
  return (context, args) => {
    const view = viewOf(context.server.cluster)
    if (view === undefined) context.reply.error(DISABLED)
    else run({ context, view }, args)
  }
}
