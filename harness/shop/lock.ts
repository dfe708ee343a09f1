/**
 * Locks as applications build them on one key of one server. They differ in the release alone:
 *
 *   none                 nothing is held
 *   naive                SET NX PX, then DEL: deletes whatever lies there by then
 *   owner-check          SET NX PX, then GET and DEL if it is one's own: another may take it in between
 *   compare-and-delete   SET NX PX, then both in one script
 *
 * Where an application says DEL, this says GETDEL: it does the same and tells whose lock it was that went.
 */
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'

export type LockKind = 'none' | 'naive' | 'owner-check' | 'compare-and-delete'

/** Sends a command; rejects on an error reply and on a lost connection. */
export type Ask = (...words: string[]) => Promise<ReplyValue>

export interface Lock {
  /** Whether the lock is now `token`'s, for as long as it lasts. */
  acquire(token: string): Promise<boolean>
  /** The token of somebody else whose lock was deleted instead; undefined: none was. */
  release(token: string): Promise<string | undefined>
}

const KEY = 'shop:lock'
const COMPARE_AND_DELETE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

export function createLock(kind: LockKind, ask: Ask, expiryMs: number): Lock {
  const acquire = async (token: string): Promise<boolean> =>
    (await ask('SET', KEY, token, 'NX', 'PX', String(expiryMs))) !== null
  const deleteWhatever = async (token: string): Promise<string | undefined> => {
    const reply = await ask('GETDEL', KEY)
    const deleted = Buffer.isBuffer(reply) ? reply.toString() : token
    return deleted === token ? undefined : deleted
  }
  switch (kind) {
    case 'none':
      return { acquire: async () => true, release: async () => undefined }
    case 'naive':
      return { acquire, release: deleteWhatever }
    case 'owner-check':
      return {
        acquire,
        release: async (token) => {
          const owner = await ask('GET', KEY)
          return Buffer.isBuffer(owner) && owner.toString() === token ? deleteWhatever(token) : undefined
        },
      }
    case 'compare-and-delete':
      return {
        acquire,
        release: async (token) => {
          await ask('EVAL', COMPARE_AND_DELETE, '1', KEY, token)
          return undefined
        },
      }
  }
}
