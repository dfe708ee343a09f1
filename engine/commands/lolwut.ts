/**
 * LOLWUT: a picture and the version (Redis's lolwut5.c and lolwut6.c). The pictures are drawn our own way, in the shape
 * that Redis's have: version 5 is Georg Nees' Schotter in Braille dots, version 6 a landscape in colours. Any other
 * version, also the current one, has no picture.
 */
import { redisVersion } from '../server/command-line.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { numberArgument } from './number-argument.ts'

type Draw = () => number

function lolwut(context: Context, args: Arguments): void {
  const { reply, server } = context
  let version = Number.parseInt(redisVersion, 10)
  let first = 1
  if (args.count >= 3 && args.is(1, 'version')) {
    version = numberArgument(context, args, 2)
    if (Number.isNaN(version)) return
    first = 3
  }
  const draw = (): number => server.io.random.fraction()
  let picture: string | undefined = ''
  if (version === 5) picture = schotter(sizes(context, args, first, SCHOTTER_SIZES), draw)
  else if (version === 6) picture = landscape(sizes(context, args, first, LANDSCAPE_SIZES), draw)
  if (picture !== undefined) reply.verbatim('txt', `${picture}Redis ver. ${redisVersion}\n`)
}

interface Size {
  usual: number
  most: number
}

/** Columns, squares in a row, squares in a column. */
const SCHOTTER_SIZES: readonly Size[] = [
  { usual: 66, most: 1000 },
  { usual: 8, most: 200 },
  { usual: 12, most: 200 },
]
/** Columns and rows. */
const LANDSCAPE_SIZES: readonly Size[] = [
  { usual: 80, most: 1000 },
  { usual: 20, most: 1000 },
]

/** The sizes among the arguments, within their limits; undefined after the error was answered. */
function sizes(context: Context, args: Arguments, first: number, known: readonly Size[]): number[] | undefined {
  const found: number[] = []
  for (const [i, { usual, most }] of known.entries()) {
    const given = first + i < args.count ? numberArgument(context, args, first + i) : usual
    if (Number.isNaN(given)) return undefined
    found.push(Math.max(1, Math.min(most, given)))
  }
  return found
}

// ————— Schotter: rows of squares that fall into disorder

const PADDING = 2
/** Dots of a Braille character: 2 × 4, numbered by their bits. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const

function schotter(size: readonly number[] | undefined, draw: Draw): string | undefined {
  if (size === undefined) return undefined
  const [columns = 1, perRow = 1, perColumn = 1] = size
  const padding = columns * 2 > 4 ? PADDING : 0
  const side = (columns * 2 - padding * 2) / perRow
  const height = Math.floor(Math.fround(side) * perColumn) + padding * 2
  const lines = Array.from({ length: Math.ceil(height / 4) }, () => new Uint8Array(columns))
  const dot = (x: number, y: number): void => {
    const line = lines[Math.floor(y / 4)]
    if (y < 0 || y >= height || x < 0 || x >= columns * 2 || line === undefined) return
    const column = Math.floor(x / 2)
    line[column] = (line[column] as number) | (DOTS[y % 4]?.[x % 2] ?? 0)
  }
  for (let row = 0; row < perColumn; row++) {
    const disorder = row < perColumn / 2 ? 0 : (row - perColumn / 2) / perColumn
    for (let column = 0; column < perRow; column++) {
      const wobble = (): number => (draw() * 2 - 1) * disorder
      const x = padding + (column + 0.5 + wobble() / 2) * side
      const y = padding + (row + 0.5 + wobble() / 2) * side
      square(x, y, side, (wobble() * Math.PI) / 2, dot)
    }
  }
  const text = lines.map((line) => String.fromCharCode(...Array.from(line, (dots) => 0x2800 + dots))).join('\n')
  return `${text}\n\nGeorg Nees - schotter, plotter on paper, 1968. `
}

function square(x: number, y: number, side: number, angle: number, dot: (x: number, y: number) => void): void {
  const corner = (turn: number): readonly [number, number] => {
    const direction = angle + ((turn * 2 + 1) * Math.PI) / 4
    const radius = side / Math.SQRT2
    return [x + Math.cos(direction) * radius, y + Math.sin(direction) * radius]
  }
  for (let turn = 0; turn < 4; turn++) {
    const [fromX, fromY] = corner(turn)
    const [toX, toY] = corner(turn + 1)
    const steps = Math.ceil(side) + 1
    for (let i = 0; i <= steps; i++) {
      dot(Math.round(fromX + ((toX - fromX) * i) / steps), Math.round(fromY + ((toY - fromY) * i) / steps))
    }
  }
}

// ————— Landscape: three ranges of hills, the darker the nearer

/** Foreground and background of a blank: white, light grey, dark grey, black. */
const COLOURS = ['97;107', '37;47', '90;100', '30;40']

function landscape(size: readonly number[] | undefined, draw: Draw): string | undefined {
  if (size === undefined) return undefined
  const [columns = 1, rows = 1] = size
  const ranges = [0.3, 0.55, 0.8].map((top) => skyline(columns, top * rows, rows / 8, draw))
  const lines: string[] = []
  for (let y = 0; y < rows; y++) {
    let line = ''
    for (let x = 0; x < columns; x++) {
      const depth = ranges.filter((tops) => y >= (tops[x] as number)).length
      line += `\x1b[0;${COLOURS[depth]}m \x1b[0m`
    }
    lines.push(line)
  }
  return `${lines.join('\n')}\nDedicated to the 8 bit game developers of past and present.\nOriginal 8 bit image from Plaguemon by hikikomori. `
}

/** For each column the row where the hills begin. */
function skyline(columns: number, level: number, slope: number, draw: Draw): number[] {
  let height = level
  return Array.from({ length: columns }, () => {
    height += ((draw() - 0.5) * slope) / 2 + (level - height) / 16
    return height
  })
}

export const lolwutCommands: readonly Command[] = [
  {
    name: 'lolwut',
    arity: -1,
    flags: ['readonly', 'fast'],
    categories: [],
    group: 'server',
    run: lolwut,
  },
]
