/**
 * What becomes of the time that a command took: its histogram, the slow log, the latency monitor. Called for every
 * command, so the thresholds are kept as plain numbers that follow the configuration.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Client } from './client.ts'
import { type CommandRecord, flagBits } from './command-table.ts'
import type { Config } from './config.ts'
import type { LatencyMonitor } from './latency.ts'
import type { SlowLog } from './slow-log.ts'

export class CommandTimings {
  private readonly config: Config
  private readonly slowLog: SlowLog
  private readonly latency: LatencyMonitor
  private isTracking = true
  private slowUs = 0
  private latencyUs = 0

  constructor(config: Config, slowLog: SlowLog, latency: LatencyMonitor) {
    this.config = config
    this.slowLog = slowLog
    this.latency = latency
    const follow = () => {
      const { values } = config
      const slowUs = values['slowlog-log-slower-than']
      const latencyMs = values['latency-monitor-threshold']
      this.slowUs = slowUs < 0 ? Number.POSITIVE_INFINITY : slowUs
      this.latencyUs = latencyMs === 0 ? Number.POSITIVE_INFINITY : latencyMs * 1000
      this.isTracking = values['latency-tracking']
    }
    follow()
    for (const name of ['slowlog-log-slower-than', 'latency-monitor-threshold', 'latency-tracking'] as const) {
      config.onChange(name, follow)
    }
  }

  note(client: Client, record: CommandRecord, args: Arguments, durationUs: number, wallMs: number): void {
    if (this.isTracking) record.recordDuration(durationUs)
    if (durationUs >= this.latencyUs) {
      this.latency.add(record.has(flagBits.fast) ? 'fast-command' : 'command', durationUs / 1000, wallMs)
    }
    if (Math.round(durationUs) < this.slowUs || record.has(flagBits.skip_slowlog) || client.blocked) return
    const secrets = record.command.secretArguments?.(args, (name) => this.config.isSensitive(name)) ?? []
    this.slowLog.add(client, args, secrets, durationUs, wallMs)
  }
}
