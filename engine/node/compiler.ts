/**
 * What V8's optimising compiler is told once, before any code of the server runs.
 *
 * A request passes some forty short functions, from the socket's callback to the reply. By default V8 stops inlining
 * after 920 bytes of bytecode per function that it compiles, in the middle of that way: the rest stays calls, each with
 * its frame, its checks and its loads of what the caller knew already. With room for all of it the server's own part
 * of a request takes 10 to 20 % less time (Node 20; see ARCHITECTURE.md). Compiling takes longer for it, on another
 * thread.
 */
import { setFlagsFromString } from 'node:v8'

/**
 * Bytes of bytecode: of all that is inlined into one function; of one function that may be inlined; of one that is
 * inlined however rarely it is called.
 */
const INLINED_TOGETHER_BYTES = 4000
const INLINED_FUNCTION_BYTES = 1000
const ALWAYS_INLINED_BYTES = 60

export function tuneCompiler(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED_TOGETHER_BYTES}`)
  setFlagsFromString(`--max-inlined-bytecode-size=${INLINED_FUNCTION_BYTES}`)
  setFlagsFromString(`--max-inlined-bytecode-size-small=${ALWAYS_INLINED_BYTES}`)
}
