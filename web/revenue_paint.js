// How the revenue chart is painted: uPlot's options and what is drawn below and above its lines.
// The line joins final slices. An open (provisional) slice is never drawn as a fall: it stands as a
// dashed stem with a ring at what it holds so far, on hatched ground.
import * as format from './format.js';

const kMicro = 1e6;
// Seconds between marks.
const kSteps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600];
const kMarkWidth = 76;
const kFamily =
  '"Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans Condensed", system-ui, sans-serif';
export const kFont = `12px ${kFamily}`;
const kSmallFont = `600 11px ${kFamily}`;

// Colours as the browser resolves them, for the canvas.
export function palette(element) {
  const probe = document.createElement('i');
  probe.className = 'probe';
  element.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(
    ['revenue', 'muted', 'grid', 'hatch', 'peak', 'peak-ground', 'surface', 'text'].map((name) => [
      name,
      read(name),
    ]),
  );
  probe.remove();
  return colours;
}

function fade(colour, alpha) {
  const numbers = colour.match(/[\d.]+/g);
  return numbers ? `rgb(${numbers.slice(0, 3).join(' ')} / ${alpha})` : colour;
}

// chart: {zone, currency, step_us, from, to (seconds), colours(), panes, peaks}
export function plotOptions(chart, width, height) {
  const colour = (name) => () => chart.colours[name];
  const axis = {font: kFont, stroke: colour('muted'), ticks: {show: false}};
  return {
    width,
    height,
    padding: [26, 20, 0, 0],
    legend: {show: false},
    cursor: {show: false},
    scales: {
      x: {time: false, range: () => [chart.from, chart.to]},
      y: {range: (plot, low, high) => chart.rangeY(low, high)},
    },
    axes: [
      {
        ...axis,
        grid: {show: false},
        gap: 8,
        size: 32,
        splits: (plot) => timeMarks(plot, chart),
        values: (plot, marks) => marks.map((mark) => format.minuteTime(mark * kMicro, chart.zone)),
      },
      {
        ...axis,
        grid: {stroke: colour('grid'), width: 1},
        gap: 8,
        size: 62,
        space: 48,
        values: (plot, marks) => marks.map((mark) => format.moneyShort(mark, chart.currency)),
      },
    ],
    series: [
      {},
      {
        stroke: colour('revenue'),
        width: 2,
        points: {show: false},
        spanGaps: false,
        fill: (plot) => ground(plot, chart.colours.revenue),
      },
      {
        stroke: colour('revenue'),
        width: 2,
        dash: [5, 4],
        points: {show: false},
        spanGaps: false,
      },
    ],
    hooks: {
      drawClear: [(plot) => paintBelow(plot, chart)],
      draw: [(plot) => paintAbove(plot, chart)],
    },
  };
}

function ground(plot, colour) {
  const {top, height} = plot.bbox;
  if (!Number.isFinite(top) || !height) return fade(colour, 0.1);
  const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, fade(colour, 0.2));
  gradient.addColorStop(1, fade(colour, 0.01));
  return gradient;
}

// Marks at round local times, as many as fit.
function timeMarks(plot, {from, to, zone}) {
  const fit = Math.max(2, Math.floor(plot.bbox.width / devicePixelRatio / kMarkWidth));
  const step = kSteps.find((seconds) => (to - from) / seconds <= fit) ?? kSteps.at(-1);
  const offset = format.zoneOffset(to * kMicro, zone) / kMicro;
  const marks = [];
  for (let mark = Math.ceil((from + offset) / step) * step - offset; mark <= to; mark += step)
    marks.push(mark);
  return marks;
}

// Slanted lines over a box. Drawn, not a pattern: a second canvas costs more than all of them.
function hatch(context, colour, left, top, width, height) {
  const gap = 8 * devicePixelRatio;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  // On one grid, wherever the box begins.
  for (let x = Math.floor(left / gap) * gap; x < left + width + height; x += gap) {
    context.moveTo(x, top);
    context.lineTo(x - height, top + height);
  }
  context.strokeStyle = colour;
  context.lineWidth = Math.ceil(devicePixelRatio);
  context.setLineDash([]); // the last series may have left its own
  context.stroke();
  context.restore();
}

function paintBelow(plot, chart) {
  const {
    ctx: context,
    bbox: {left, top, width, height},
  } = plot;
  const x = (us) => Math.min(Math.max(plot.valToPos(us / kMicro, 'x', true), left), left + width);
  context.save();
  for (const {from_us: from, to_us: to, provisional} of chart.peaks) {
    const [start, end] = [x(from), x(to)];
    context.fillStyle = chart.colours['peak-ground'];
    context.fillRect(start, top, end - start, height);
    if (provisional) hatch(context, chart.colours.hatch, start, top, end - start, height);
    context.fillStyle = chart.colours.peak;
    context.fillRect(start, top, end - start, 2 * devicePixelRatio);
  }
  const open = chart.panes.find(({state}) => state === 'provisional');
  if (open) {
    const start = x(open.start_us);
    hatch(context, chart.colours.hatch, start, top, left + width - start, height);
  }
  context.restore();
}

function paintAbove(plot, chart) {
  const {ctx: context} = plot;
  const px = devicePixelRatio;
  context.save();
  for (const pane of chart.panes) {
    const x = plot.valToPos((pane.start_us + chart.step_us / 2) / kMicro, 'x', true);
    const y = plot.valToPos(Number(pane.net), 'y', true);
    if (pane === chart.stem) paintStem(plot, chart, x, y);
    else if (pane.state === 'revised')
      dot(context, x, y, 2.5 * px, chart.colours.revenue, chart.colours.surface, px);
    else if (chart.alone.has(pane))
      dot(context, x, y, 1.5 * px, chart.colours.revenue, chart.colours.revenue, px);
  }
  paintPeakNames(plot, chart);
  context.restore();
}

function paintStem(plot, chart, x, y) {
  const {ctx: context} = plot;
  const px = devicePixelRatio;
  context.strokeStyle = chart.colours.revenue;
  context.lineWidth = 1.5 * px;
  context.setLineDash([3 * px, 3 * px]);
  context.beginPath();
  context.moveTo(x, plot.valToPos(0, 'y', true));
  context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
  dot(context, x, y, 4 * px, chart.colours.surface, chart.colours.revenue, 2 * px);
}

function dot(context, x, y, radius, fill, stroke, width) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = stroke;
  context.lineWidth = width;
  context.stroke();
}

// Names above the peaks, greatest first; one that would cover another is left out (the table has
// it).
function paintPeakNames(plot, chart) {
  const {
    ctx: context,
    bbox: {left, top, width},
  } = plot;
  const px = devicePixelRatio;
  context.font = kSmallFont.replace(/\d+px/, (size) => `${parseFloat(size) * px}px`);
  context.fillStyle = chart.colours.peak;
  context.textBaseline = 'bottom';
  const taken = [];
  for (const peak of [...chart.peaks].sort((a, b) => Number(b.excess) - Number(a.excess))) {
    const text = `▲ peak +${format.moneyShort(peak.excess, chart.currency)}`;
    const half = context.measureText(text).width / 2;
    const wish = plot.valToPos((peak.from_us + peak.to_us) / 2 / kMicro, 'x', true);
    const middle = Math.min(Math.max(wish, left + half), left + width - half);
    if (taken.some((other) => Math.abs(other.middle - middle) < other.half + half + 8 * px))
      continue;
    taken.push({middle, half});
    context.textAlign = 'center';
    context.fillText(text, middle, top - 6 * px);
  }
}
