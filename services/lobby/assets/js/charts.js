// Every chart reads the table beside it: one source of numbers, and with no script the table is the page.
import * as echarts from 'echarts/core'
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, AriaComponent } from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'

echarts.use([BarChart, LineChart, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, AriaComponent, SVGRenderer])

const css = getComputedStyle(document.documentElement)
const token = (name) => css.getPropertyValue(name).trim()
const font = getComputedStyle(document.body).fontFamily
const base = { fontFamily: font, fontSize: 14, color: token('--ow-ink') }
const still = matchMedia('(prefers-reduced-motion: reduce)').matches

function read(table) {
  return [...table.tBodies[0].rows].filter((row) => row.querySelector('[data-value]')).map((row) => ({
    label: row.cells[0].textContent.trim(),
    value: Number(row.querySelector('[data-value]').dataset.value),
  }))
}

const shapes = {
  bars(rows, figure, box) {
    const items = rows.slice().reverse()
    const values = items.map((item) => item.value)
    const most = Math.max(0, ...values), least = Math.min(0, ...values), names = Math.min(230, box.clientWidth * 0.4)
    const room = (most - least) * 44 / Math.max(60, box.clientWidth - names - 104) // pixels for the number beside a bar, on both sides
    return {
      grid: { left: 4, right: 4, top: 4, bottom: 4, containLabel: true },
      xAxis: { type: 'value', min: least - (least < 0 ? room : 0), max: most + room, show: false },
      yAxis: {
        type: 'category', data: items.map((item) => item.label), axisTick: { show: false }, axisLine: { show: false },
        axisLabel: { ...base, width: names, overflow: 'break', lineHeight: 18, margin: 10 },
      },
      series: [{
        type: 'bar', barWidth: 16,
        data: items.map((item) => ({
          value: item.value,
          itemStyle: { color: item.value > 0 ? token('--ow-raises') : token('--ow-lowers'), borderRadius: 2 },
          label: { position: item.value > 0 ? 'right' : 'left' },
        })),
        label: { show: true, ...base, fontWeight: 600, formatter: ({ value }) => (value > 0 ? `+${value}` : `−${-value}`) },
        markLine: { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: token('--ow-line-strong'), type: 'solid', width: 1 }, data: [{ xAxis: 0 }] },
      }],
    }
  },
  history(rows, figure) {
    const bands = figure.dataset.bands.split(' ').map((band) => band.split(':'))
    const tint = { A: '--ow-class-a-tint', B: '--ow-class-b-tint', C: '--ow-class-c-tint', D: '--ow-class-d-tint' }
    return {
      grid: { left: 8, right: 30, top: 14, bottom: 4, containLabel: true },
      xAxis: { type: 'category', boundaryGap: false, data: rows.map((row) => row.label), axisLine: { lineStyle: { color: token('--ow-line-strong') } }, axisTick: { show: false }, axisLabel: { ...base, fontSize: 13, hideOverlap: true } },
      yAxis: { type: 'value', min: 0, max: Math.max(200, Math.ceil(Math.max(...rows.map((row) => row.value)) * 1.15 / 50) * 50), interval: 100, splitLine: { show: false }, axisLabel: { ...base, fontSize: 13 } },
      tooltip: { trigger: 'axis', renderMode: 'richText', formatter: ([point]) => `${point.name}   ${point.value}`, textStyle: base, backgroundColor: '#fff', borderColor: token('--ow-line-strong') },
      series: [{
        type: 'line', data: rows.map((row) => row.value), step: 'end', symbol: 'circle', symbolSize: 7, lineStyle: { width: 2.5, color: token('--ow-ink') }, itemStyle: { color: token('--ow-ink') },
        endLabel: { show: true, ...base, fontWeight: 700, distance: 6 },
        markArea: { silent: true, label: { position: 'insideTopLeft', ...base, fontWeight: 700, color: token('--ow-ink-soft') }, data: bands.map(([name, from, to]) => [{ name, yAxis: Number(from), itemStyle: { color: token(tint[name]) } }, { yAxis: Number(to) }]) },
      }],
    }
  },
}

for (const figure of document.querySelectorAll('figure[data-chart]')) {
  const table = figure.querySelector('table')
  const rows = read(table).filter((row) => figure.dataset.chart !== 'bars' || row.value !== 0)
  const box = document.createElement('div')
  box.className = `ow-chart ow-chart--${figure.dataset.chart}`
  if (figure.dataset.chart === 'bars') box.classList.add(`ow-chart--rows-${rows.length}`)
  box.setAttribute('role', 'img')
  box.setAttribute('aria-label', figure.dataset.summary)
  figure.querySelector('[data-chart-here]').append(box)
  figure.querySelector('details[data-table-box]')?.removeAttribute('open')
  const chart = echarts.init(box, null, { renderer: 'svg' })
  chart.setOption({ animation: !still, animationDuration: 350, textStyle: base, ...shapes[figure.dataset.chart](rows, figure, box) })
  new ResizeObserver(() => chart.resize()).observe(box)
}
