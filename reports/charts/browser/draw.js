/**
 * Draws the charts of a report in the browser. Put into the page as it stands, after Chart.js and its annotation
 * plugin; it reads the panels (`charts/panels.ts`) from the page's JSON and knows nothing else of the result.
 *
 * All panels of an arm lie below one another in one box with the same left gutter and right edge, so that one vertical
 * line, an element of the page, is the cross-hair of them all. Its values appear beside the labels of the series.
 * Colours are custom properties of the page, so that the two colour schemes and print need no second set here.
 *
 * @typedef {import('../panels.ts').ChartData} ChartData
 * @typedef {import('../panels.ts').TimePanel} TimePanel
 * @typedef {import('../panels.ts').HistogramPanel} HistogramPanel
 * @typedef {import('../panels.ts').ArmAxis} ArmAxis
 * @typedef {import('chart.js').ChartConfiguration<any, any>} Configuration
 */
;(() => {
  const { Chart } = /** @type {{ Chart: typeof import('chart.js').Chart }} */ (/** @type {unknown} */ (window))
  const source = document.getElementById('chart-data')
  /** @type {ChartData} */
  const data = JSON.parse(source?.textContent ?? '{"arms":{},"histograms":{}}')
  const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })

  const colour = (/** @type {string} */ name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
  const lengthOf = (/** @type {string} */ name) => Number.parseFloat(colour(name))

  /** @param {number} value @param {string} unit */
  function format(value, unit) {
    if (unit === 'ms') return value < 1000 ? `${numbers.format(value)} ms` : `${numbers.format(value / 1000)} s`
    if (unit === 'bytes' && value >= 1024 * 1024) return `${numbers.format(value / 1024 / 1024)} MiB`
    if (unit === 'bytes') return value >= 1024 ? `${numbers.format(value / 1024)} KiB` : `${numbers.format(value)} B`
    return numbers.format(value)
  }

  /** Stripes: an unknown end must not look like either success or failure, for any eye. @param {string} ink */
  function striped(ink) {
    const tile = document.createElement('canvas')
    tile.width = tile.height = 6
    const pen = tile.getContext('2d')
    if (pen === null) return ink
    pen.globalAlpha = 0.45
    pen.fillStyle = ink
    pen.fillRect(0, 0, 6, 6)
    pen.globalAlpha = 1
    pen.strokeStyle = ink
    pen.lineWidth = 1.6
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6)
      pen.lineTo(shift + 6, 0)
    }
    pen.stroke()
    return pen.createPattern(tile, 'repeat') ?? ink
  }

  /** Faults as bands behind the data, events as thin lines. @param {ArmAxis} axis */
  function annotations(axis) {
    const bands = axis.bands.map(({ fromMs, toMs }) => ({
      type: 'box',
      xMin: fromMs,
      xMax: toMs,
      backgroundColor: colour('c-band'),
      borderWidth: 0,
      drawTime: 'beforeDatasetsDraw',
    }))
    const lines = axis.linesMs.map((atMs) => ({
      type: 'line',
      xMin: atMs,
      xMax: atMs,
      borderColor: colour('c-event'),
      borderWidth: 1,
      borderDash: [2, 3],
      drawTime: 'afterDatasetsDraw',
    }))
    return [...bands, ...lines]
  }

  /** @param {TimePanel} panel @param {TimePanel['series'][number]} series @param {number} position */
  function dataset(panel, series, position) {
    const ink = colour(`c-${series.colour}`)
    const points = panel.xs.map((x, index) => ({ x, y: series.values[index] ?? null }))
    if (panel.kind === 'line') {
      const dash = series.colour === 'max' ? [1, 2] : series.colour === 'p99' ? [5, 3] : []
      const width = series.colour === 'p50' ? 2 : 1.5
      return {
        label: series.label,
        data: points,
        borderColor: ink,
        borderWidth: width,
        borderDash: dash,
        spanGaps: false,
      }
    }
    // A step holds its value until the next point; the last bucket needs an end of its own.
    const endMs = (panel.xs.at(-1) ?? 0) + panel.widthMs
    points.push({ x: endMs, y: points.at(-1)?.y ?? null })
    const fill = { target: position === 0 ? 'origin' : '-1' }
    return {
      label: series.label,
      data: points,
      backgroundColor: series.colour === 'unknown' ? striped(ink) : ink,
      borderWidth: 0,
      fill,
      stepped: 'before',
      stack: 'all',
    }
  }

  /** @param {TimePanel} panel @param {ArmAxis} axis @returns {Configuration} */
  function timeConfiguration(panel, axis) {
    const text = { color: colour('muted'), font: { size: 11, family: getComputedStyle(document.body).fontFamily } }
    const stacked = panel.kind !== 'line'
    return {
      type: 'line',
      data: { datasets: panel.series.map((series, position) => dataset(panel, series, position)) },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 6, right: 0, bottom: 2, left: 0 } },
        elements: { point: { radius: 0 }, line: { tension: 0, borderJoinStyle: 'round' } },
        plugins: {
          legend: { display: false },
          tooltip: { enabled: false },
          annotation: { annotations: annotations(axis) },
        },
        scales: {
          x: {
            type: 'linear',
            min: 0,
            max: axis.maxMs,
            ticks: { display: false },
            grid: { color: colour('grid'), drawTicks: false },
            border: { color: colour('line') },
            afterBuildTicks: (/** @type {{ ticks: unknown }} */ scale) => {
              scale.ticks = axis.ticksMs.map((value) => ({ value }))
            },
          },
          y: {
            type: panel.scale === 'log' ? 'logarithmic' : 'linear',
            min: panel.yMin,
            max: panel.yMax,
            stacked,
            ticks: {
              ...text,
              padding: 6,
              autoSkip: false,
              callback: (/** @type {number} */ value) => format(value, panel.unit),
            },
            grid: { color: colour('grid'), drawTicks: false },
            border: { display: false },
            afterBuildTicks: (/** @type {{ ticks: unknown }} */ scale) => {
              scale.ticks = panel.yTicks.map((value) => ({ value }))
            },
            // The same gutter for every panel: this is what aligns them.
            afterFit: (/** @type {{ width: number }} */ scale) => {
              scale.width = lengthOf('gutter')
            },
          },
        },
      },
    }
  }

  /** @param {HistogramPanel} panel @returns {Configuration} */
  function histogramConfiguration(panel) {
    const text = { color: colour('muted'), font: { size: 11, family: getComputedStyle(document.body).fontFamily } }
    const points = panel.counts.map((y, bin) => ({ x: panel.edges[bin] ?? 0, y }))
    points.push({ x: panel.edges.at(-1) ?? 0, y: points.at(-1)?.y ?? 0 })
    const predicted =
      panel.low === null || panel.high === null
        ? []
        : [
            {
              type: 'box',
              xMin: panel.low,
              xMax: panel.high,
              backgroundColor: colour('c-predicted'),
              borderColor: colour('c-predicted-edge'),
              borderWidth: 1,
              drawTime: 'beforeDatasetsDraw',
            },
          ]
    return {
      type: 'line',
      data: {
        datasets: [
          { data: points, backgroundColor: colour('c-ok'), borderWidth: 0, fill: 'origin', stepped: 'before' },
        ],
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        elements: { point: { radius: 0 } },
        plugins: { legend: { display: false }, tooltip: { enabled: false }, annotation: { annotations: predicted } },
        scales: {
          x: {
            type: 'linear',
            min: panel.edges[0] ?? 0,
            max: panel.edges.at(-1) ?? 1,
            ticks: {
              ...text,
              maxTicksLimit: 6,
              includeBounds: false,
              maxRotation: 0,
              callback: (/** @type {number} */ value) => format(value, panel.unit),
            },
            grid: { display: false },
            border: { color: colour('line') },
          },
          y: {
            min: 0,
            ticks: { ...text, maxTicksLimit: 4, precision: 0 },
            grid: { color: colour('grid'), drawTicks: false },
            border: { display: false },
          },
        },
      },
    }
  }

  /** @type {import('chart.js').Chart[]} */
  let drawn = []

  /** Draws everything, anew after the colours changed. */
  function draw() {
    for (const chart of drawn) chart.destroy()
    drawn = []
    const put = (/** @type {string} */ id, /** @type {Configuration} */ configuration) => {
      const canvas = document.getElementById(id)
      if (canvas instanceof HTMLCanvasElement) drawn.push(new Chart(canvas, configuration))
    }
    for (const axis of Object.values(data.arms)) {
      for (const [id, panel] of Object.entries(axis.panels)) put(id, timeConfiguration(panel, axis))
    }
    for (const [id, panel] of Object.entries(data.histograms)) put(id, histogramConfiguration(panel))
  }

  /** Position of the last point at or before a moment. @param {readonly number[]} xs @param {number} atMs */
  function pointAt(xs, atMs) {
    let found = -1
    for (let low = 0, high = xs.length - 1; low <= high; ) {
      const middle = (low + high) >> 1
      if ((xs[middle] ?? 0) <= atMs) {
        found = middle
        low = middle + 1
      } else high = middle - 1
    }
    return found
  }

  /**
   * The cross-hair of one arm: follows the pointer, and the arrow keys once the box has the focus. @param {HTMLElement}
   * box
   */
  function crosshair(box) {
    const arm = data.arms[box.id]
    const line = box.querySelector('.crosshair')
    const clock = box.querySelector('.crosshair-time')
    if (arm === undefined || !(line instanceof HTMLElement) || clock === null) return
    let atMs = 0
    const values = Object.entries(arm.panels).flatMap(([id, panel]) =>
      panel.series.map((series, position) => ({
        panel,
        series,
        output: box.querySelector(`[data-value="${id}-${position}"]`),
      })),
    )
    const plot = () => {
      const left = lengthOf('gutter')
      return { left, width: Math.max(1, box.clientWidth - left - lengthOf('edge')) }
    }
    const show = (/** @type {number} */ moment) => {
      atMs = Math.min(arm.maxMs, Math.max(0, moment))
      const { left, width } = plot()
      line.style.left = `${left + (atMs / arm.maxMs) * width}px`
      box.classList.add('reading')
      clock.textContent = `${(atMs / 1000).toFixed(2)} s`
      line.classList.toggle('leftward', atMs > arm.maxMs * 0.85)
      for (const { panel, series, output } of values) {
        const value = series.values[pointAt(panel.xs, atMs)] ?? null
        if (output !== null) output.textContent = value === null ? '–' : format(value, panel.unit)
      }
    }
    const hide = () => {
      box.classList.remove('reading')
      for (const { output } of values) if (output !== null) output.textContent = ''
    }
    box.addEventListener('pointermove', (event) => {
      const { left, width } = plot()
      const x = event.clientX - box.getBoundingClientRect().left - left
      if (x < 0 || x > width) hide()
      else show((x / width) * arm.maxMs)
    })
    box.addEventListener('pointerleave', hide)
    box.addEventListener('blur', hide)
    box.addEventListener('keydown', (event) => {
      const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
      if (event.key === 'Escape') hide()
      if (step === 0) return
      event.preventDefault()
      show(atMs + (step * arm.maxMs) / (event.shiftKey ? 20 : 200))
    })
  }

  draw()
  for (const id of Object.keys(data.arms)) {
    const box = document.getElementById(id)
    if (box !== null) crosshair(box)
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  addEventListener('beforeprint', () => {
    document.documentElement.classList.add('printing')
    draw()
  })
  addEventListener('afterprint', () => {
    document.documentElement.classList.remove('printing')
    draw()
  })
})()
