// A line chart in SVG: linear or logarithmic axes, lines told apart by colour, dash and shape, marked points, and
// a cursor for pointer and keyboard whose reading is text.
//
//   const plot = chart({ name: "Loss", x: { label: "learning rate", log: true, format: rate }, y: { label: "loss" } });
//   el.append(plot.element);
//   plot.draw({ lines: [{ name: "run 1", xs, ys }], marks: [{ name: "valley", x: 1e-3, y: 0.4 }] });
//   plot.close();
//
// `xs` ascend; where a y is not a number the line breaks. The first line lies on top. A line can be `faint`, have
// `dots`, and keep its look by `style` (0, 1, ...) when others come and go. The cursor steps along the first line
// that is not faint; with `picked(index)` each step and each click picks that point, and `at` says which x is
// picked. `limits` is the range of y to show, where that is not the range of the data.

const DASHES = ["", "8 4", "2 3", "9 3 2 3", "14 4", "4 2 1 2"];
const SHAPES = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "M-4 -4h8v8h-8z", "M0 -5L5 4H-5z", "M0 -5L5 0L0 5L-5 0z", "M0 5L5 -4H-5z",
  "M-4 -4L4 4M-4 4L4 -4",
];
export const STYLES = DASHES.length;

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const dot = (place, style, className = "") =>
  svg("path", { d: SHAPES[style], class: `dot style-${style} ${className}`, transform: `translate(${place})` });

export function chart({ name, x, y, picked = null, hint = "" }) {
  const formatX = x.format ?? figure;
  const formatY = y.format ?? figure;
  const legend = h("ul", { class: "legend" });
  const picture = svg("svg", { "aria-hidden": "true" });
  const plot = h("div", { class: "plot", role: "slider", "aria-label": `${name}, by ${x.label}` }, picture);
  const reading = h("p", { class: "reading quiet", "aria-hidden": "true" });
  const summary = h("p", { class: "unseen" });
  const element = h("figure", { class: "chart" }, h("figcaption", {}, name), legend, plot, reading, summary);

  let data = { lines: [], marks: [], at: null };
  let hover = null; // index under the pointer, on the line that the cursor follows
  let kept = null; // index where the keys or a click have left the cursor
  let moved = 0; // when
  let view = null; // scales of what is drawn
  let waiting = 0;
  const line = () => data.lines.find((one) => !one.faint && one.xs.length) ?? data.lines.find((one) => one.xs.length);
  const styleOf = (one, index) => (one.style ?? index) % STYLES;

  const soon = () => (waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    paint();
  }));
  const watcher = new ResizeObserver(soon);
  watcher.observe(plot);

  function axes(width, height) {
    const filled = data.lines.filter((one) => one.xs.length);
    const ends = filled.map((one) => [one.xs[0], one.xs.at(-1)]);
    const rangeX = extent(ends, x.log);
    const rangeY = data.limits ?? roomy(extent(filled.map((one) => one.ys), y.log), y.log);
    const labels = ticks(rangeY, y, Math.max(3, height / 45)).map((value) => [value, formatY(value)]);
    const left = 14 + 7.5 * Math.max(3, ...labels.map(([, text]) => text.length));
    const rows = lanes(data.marks, (value) => scale(rangeX, x.log, left, width - 14)(value), width);
    const box = { left, right: width - 14, top: 8 + 17 * rows.count, bottom: height - 42, rows };
    const X = scale(rangeX, x.log, box.left, box.right);
    const Y = scale(rangeY, y.log, box.bottom, box.top);
    const drawn = []; // the grid and its figures
    for (const [value, text] of labels) {
      drawn.push(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: Y(value), y2: Y(value) }),
        svg("text", { x: box.left - 6, y: Y(value) + 4, "text-anchor": "end" }, text));
    }
    const only = x.whole && new Set(ends.flat()).size === 1; // after one epoch, there are no parts of it to name
    for (const value of only ? [ends[0][0]] : ticks(rangeX, x, (box.right - box.left) / 70)) {
      drawn.push(svg("line", { class: "grid", x1: X(value), x2: X(value), y1: box.top, y2: box.bottom }),
        svg("text", { x: X(value), y: box.bottom + 17, "text-anchor": "middle" }, formatX(value)));
    }
    const middle = (box.left + box.right) / 2;
    drawn.push(svg("text", { x: middle, y: height - 6, "text-anchor": "middle", class: "label" }, x.label));
    return { X, Y, box, drawn };
  }

  // Names of marked points stand above the plot, in as many rows as it takes for none to cover another.
  function lanes(marks, X, width) {
    const ends = [];
    const placed = marks.map((mark) => {
      const half = mark.name.length * 3.6 + 6;
      const middle = Math.min(Math.max(X(mark.x), half), width - half);
      let row = ends.findIndex((end) => end <= middle - half);
      if (row < 0) row = ends.push(0) - 1;
      ends[row] = middle + half;
      return { mark, middle, row };
    });
    return { placed, count: ends.length };
  }

  function paint() {
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!width || !height || !line()) return;
    const { X, Y, box, drawn } = axes(width, height);
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
    const inside = svg("svg", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top,
      viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}` });
    const dots = [];
    data.lines.forEach((one, index) => {
      const kept = visible(one.xs, one.ys, X, y.log);
      const style = styleOf(one, index);
      let pen = "M";
      const d = kept.map((point) => {
        if (point < 0) return (pen = "M", "");
        const step = `${pen}${X(one.xs[point]).toFixed(1)} ${Y(one.ys[point]).toFixed(1)}`;
        pen = "L";
        return step;
      }).join("");
      inside.prepend(svg("path", { d, class: `line style-${style}${one.faint ? " faint" : ""}`,
        "stroke-dasharray": one.faint ? "" : DASHES[style] }));
      if (one.dots) for (const point of kept) if (point >= 0) {
        dots.push(dot([X(one.xs[point]), Y(one.ys[point])], style));
      }
    });
    for (const { mark, middle, row } of box.rows.placed) {
      const top = 14 + 17 * row;
      drawn.push(svg("line", { class: "mark", x1: X(mark.x), x2: X(mark.x), y1: top + 4, y2: box.bottom }),
        svg("text", { class: "mark", x: middle, y: top, "text-anchor": "middle" }, mark.name));
      if (shown(mark.y, y.log)) dots.push(dot([X(mark.x), Math.max(Y(mark.y), box.top)], 3, "mark"));
    }
    view = { X, Y, box, pointer: svg("g", { class: "pointer" }) };
    picture.replaceChildren(...drawn, inside, ...dots, view.pointer);
    point();
  }

  // The cursor, or else what is picked: a line down the plot, a dot on each line, and what they say.
  function point() {
    const along = line();
    const index = hover ?? kept ?? (data.at === null ? null : nearest(along.xs, data.at));
    if (index === null || index >= along.xs.length) {
      view.pointer.replaceChildren();
      reading.textContent = hint;
      plot.setAttribute("aria-valuetext", hint || "no point chosen");
      plot.setAttribute("aria-valuenow", 0);
      return;
    }
    const value = hover === null && kept === null ? data.at : along.xs[index];
    const { X, Y, box, pointer } = view;
    const at = Math.min(Math.max(X(value), box.left), box.right);
    const said = [];
    pointer.replaceChildren(svg("line", { x1: at, x2: at, y1: box.top, y2: box.bottom }));
    data.lines.forEach((one, place) => {
      if (!one.xs.length) return;
      const near = nearest(one.xs, value);
      said.push(`${one.name} ${formatY(one.ys[near])}`);
      const inside = shown(one.ys[near], y.log) && Y(one.ys[near]) >= box.top && Y(one.ys[near]) <= box.bottom;
      if (inside) pointer.append(dot([X(one.xs[near]), Y(one.ys[near])], styleOf(one, place)));
    });
    reading.textContent = `${x.label} ${formatX(value)}: ${said.join(", ")}`;
    plot.setAttribute("aria-valuetext", reading.textContent);
    plot.setAttribute("aria-valuenow", index);
  }

  function move(index) {
    [hover, kept, moved] = [null, index, performance.now()];
    point();
    picked?.(index);
  }

  const under = (event) => {
    const { left, width } = picture.getBoundingClientRect();
    const { X, box } = view;
    const along = line();
    const wanted = Math.min(Math.max(((event.clientX - left) / width) * plot.clientWidth, box.left), box.right);
    // Back from pixels to a value, by the two ends of the axis.
    const [from, to] = [along.xs[0], along.xs.at(-1)];
    const share = (wanted - X(from)) / (X(to) - X(from) || 1);
    return nearest(along.xs, x.log ? from * (to / from) ** share : from + (to - from) * share);
  };
  plot.addEventListener("pointermove", (event) => {
    if (!view || !line()) return;
    hover = under(event);
    point();
  });
  plot.addEventListener("pointerleave", () => {
    hover = null;
    if (view) point();
  });
  plot.addEventListener("click", (event) => view && line() && move(under(event)));
  plot.addEventListener("blur", () => {
    kept = null;
    if (view) point();
  });
  plot.addEventListener("keydown", (event) => {
    if (!view || !line()) return;
    const last = line().xs.length - 1;
    const leap = Math.max(1, Math.round(last / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -leap, PageUp: leap,
      Home: -last, End: last };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const here = kept ?? (data.at === null ? Math.round(last / 2) : nearest(line().xs, data.at));
    move(Math.min(Math.max(here + steps[event.key], 0), last));
  });

  function describe() {
    const said = data.lines.filter((one) => one.xs.length && !one.faint).map((one) => {
      let low = 0;
      for (let index = 1; index < one.ys.length; index++) if (!(one.ys[index] >= one.ys[low])) low = index;
      const first = `${one.name}: ${one.xs.length} points, first ${formatY(one.ys[0])}`;
      const lowest = `lowest ${formatY(one.ys[low])} at ${x.label} ${formatX(one.xs[low])}`;
      return `${first}, last ${formatY(one.ys.at(-1))}, ${lowest}.`;
    });
    const marked = data.marks.map((mark) => `${mark.name} at ${formatX(mark.x)}`).join(", ");
    return [...said, marked && `Marked: ${marked}.`].filter(Boolean).join(" ");
  }

  return {
    element,
    draw({ lines, marks = [], at = null, limits = null }) {
      // What was picked elsewhere moves the cursor; the kernel's echo of the last step does not pull it back.
      if (at !== data.at && performance.now() - moved > 1000) kept = null;
      data = { lines, marks: [...marks].sort((a, b) => a.x - b.x), at, limits };
      const along = line();
      element.hidden = !along;
      if (!along) return;
      if (hover >= along.xs.length) hover = null;
      if (kept >= along.xs.length) kept = null;
      plot.tabIndex = 0;
      plot.setAttribute("aria-valuemin", 0);
      plot.setAttribute("aria-valuemax", along.xs.length - 1);
      legend.hidden = lines.length < 2;
      legend.replaceChildren(...lines.map((one, index) => {
        const style = styleOf(one, index);
        const sample = svg("svg", { width: 34, height: 12, "aria-hidden": "true" },
          svg("path", { d: "M1 6H33", class: `line style-${style}${one.faint ? " faint" : ""}`,
            "stroke-dasharray": one.faint ? "" : DASHES[style] }));
        if (one.dots) sample.append(dot([17, 6], style));
        return h("li", {}, sample, h("span", { class: "name" }, one.name));
      }));
      summary.textContent = describe();
      soon();
    },
    close() {
      watcher.disconnect();
      cancelAnimationFrame(waiting);
    },
  };
}
