// Joined in front of chart.js: numbers as text, ranges, ticks, and which points of a line are worth drawing.

// 0.0014 -> "1.4e-3", as people in this field write it.
export const rate = (value) => value.toExponential(1).replace(".0e", "e").replace("e+", "e");

// A sentence in which no rate is torn apart at its minus.
export const sentence = (text) =>
  text.split(/(\S*\de-\d\S*)/).map((part, index) => (index % 2 ? h("span", { class: "unbroken" }, part) : part));

export function figure(value) {
  if (!Number.isFinite(value)) return "not a number";
  const size = Math.abs(value);
  if (size && (size < 1e-3 || size >= 1e6)) return rate(value);
  return String(size >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}

const shown = (value, log) => Number.isFinite(value) && (!log || value > 0);

function extent(lists, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      if (!shown(value, log)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return log ? [0.1, 1] : [0, 1];
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > 1e-5 * size) return [low, high]; // less is rounding, and nothing to see
  return log ? [low / 2, high * 2] : [low - size / 10 - 1e-9, high + size / 10 + 1e-9];
}

// A little more than what is to be seen, so that no point lies on the edge.
const roomy = ([low, high], log) => (log ? [low, high] : [low - (high - low) * 0.04, high + (high - low) * 0.04]);

function scale([low, high], log, start, end) {
  const on = log ? Math.log10 : (value) => value;
  const factor = (end - start) / (on(high) - on(low));
  return (value) => start + (on(value) - on(low)) * factor;
}

// Round values inside a range, about `room` of them; of epochs there are whole ones only, if more than one.
function ticks([low, high], { log, whole }, room) {
  if (log && Math.log10(high / low) >= 1) {
    const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const step = Math.max(1, Math.ceil((last - first + 1) / room));
    const found = [];
    for (let power = first; power <= last; power += step) found.push(10 ** power);
    if (found.length > 1) return found;
    return [1, 2, 5].flatMap((digit) => [first - 1, first].map((power) => digit * 10 ** power))
      .filter((value) => value >= low && value <= high).sort((a, b) => a - b);
  }
  const rough = (high - low) / Math.max(1, room);
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].find((digit) => digit * power >= rough) * power;
  if (whole && high - low >= 1) step = Math.max(1, step);
  const found = [];
  for (let count = Math.ceil(low / step - 1e-9); count * step <= high + step * 1e-9; count++) found.push(count * step);
  return found;
}

// Which points of a line can be told apart on the screen: of each column of pixels the first, lowest, highest and
// last, and -1 where the line breaks. So 100,000 points make no longer a path than 2,000.
function visible(xs, ys, X, log) {
  const kept = [];
  let column = null;
  let first, low, high, last;
  const flush = () => {
    if (column !== null) kept.push(...new Set([first, low, high, last].sort((a, b) => a - b)));
    column = null;
  };
  for (let index = 0; index < xs.length; index++) {
    if (!shown(ys[index], log)) {
      flush();
      if (kept.length && kept.at(-1) !== -1) kept.push(-1);
      continue;
    }
    const here = Math.round(X(xs[index]));
    if (here !== column) {
      flush();
      column = here;
      first = low = high = index;
    } else if (ys[index] < ys[low]) low = index;
    else if (ys[index] > ys[high]) high = index;
    last = index;
  }
  flush();
  return kept;
}

// The index of the x nearest to a value, by halving: xs ascend.
function nearest(xs, value) {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < value) low = middle;
    else high = middle;
  }
  return low < high && value - xs[low] > xs[high] - value ? high : low;
}
