// A square matrix on a canvas, drawn as far as it is on the screen: three labels or two thousand, with their names
// always in sight. One button lies over the cell where the keyboard is and says it to a screen reader.
//
//   const plot = matrix({ name: "Confusion matrix", sentence, choose, looked });
//   el.append(plot.element);
//   plot.draw({ names, shown, rows, text, weight, chosen });
//   plot.close();
//
// `shown` are the labels by their places in `names`, in the order to show them; `rows[label]` are the [column, count]
// of its cells that are not empty; `text(row, column, count)` is what stands in a cell and `weight(row, column,
// count)` how strong its colour is, both by labels. `looked(row, column)` is called for the cell under the pointer
// or the keyboard's, or without arguments; `choose(row, column)` for a click.

const FONT = 13; // px
const CELL = [16, 80]; // px, unless zoomed
const HEADER = [84, 150]; // px that the names may take
const TALLEST = 0.75; // of the window

function matrix({ name, sentence, choose, looked }) {
  let data = { names: [], shown: [], rows: [], chosen: null };
  let place = new Map(); // label -> where it is shown
  let size = null; // px of a cell, once somebody has zoomed
  let cell = CELL[0];
  let [left, top] = [HEADER[0], HEADER[0]];
  let level = false; // whether the names of columns lie as text does
  let here = [0, 0]; // the keyboard's cell, by labels
  let hovered = null;
  let chosen; // the cell that was chosen when it was last drawn
  let frame;
  const widths = new Map();

  const canvas = h("canvas", { "aria-hidden": "true" });
  const probes = Object.fromEntries(["ink", "quiet", "paper", "line", "accent", "mistake"]
    .map((colour) => [colour, h("i", { style: `color: var(--${colour})` })]));
  const button = h("button", { type: "button", role: "gridcell", class: "cell", onclick: () => choose(...here) });
  const row = h("div", { role: "row", class: "cells" }, button);
  const area = h("div", { class: "area", role: "presentation" }, canvas, row);
  const element = h("div", { class: "matrix", role: "grid", "aria-label": name }, area);
  const palette = h("span", { class: "palette", "aria-hidden": "true" }, ...Object.values(probes));
  const pen = canvas.getContext("2d");
  const count = () => data.shown.length;

  function ellipsis(text, room) {
    const key = `${room} ${text}`;
    if (!widths.has(key)) {
      let [low, high] = [0, text.length];
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (pen.measureText(text.slice(0, middle) + (middle < text.length ? "…" : "")).width <= room) low = middle;
        else high = middle - 1;
      }
      widths.set(key, low < text.length ? `${text.slice(0, low)}…` : text);
    }
    return widths.get(key);
  }

  function setFont(px, weight = "") {
    pen.font = `${weight} ${px}px ${getComputedStyle(element).fontFamily}`;
  }

  function layout() {
    const width = element.clientWidth;
    if (!width) return;
    setFont(FONT);
    const longest = Math.max(0, ...data.shown.map((label) => pen.measureText(data.names[label]).width));
    left = Math.round(Math.min(Math.max(HEADER[0], longest + 12), HEADER[1], Math.max(HEADER[0], width * 0.35)));
    cell = size ?? Math.min(CELL[1], Math.max(CELL[0], Math.floor((width - left - 1) / count())));
    level = longest <= cell - 8;
    top = level ? 44 : Math.round(Math.min(longest, HEADER[1] - 12)) + 14;
    if (!level) top = Math.max(top, 44);
    area.style.width = `${left + cell * count() + 1}px`;
    area.style.height = `${top + cell * count() + 1}px`;
    element.style.maxHeight = `${Math.max(240, TALLEST * innerHeight)}px`;
    resize();
    Object.assign(canvas.dataset, { cell, left, top });
    draw();
  }

  function resize() {
    const scale = devicePixelRatio;
    const width = Math.min(element.clientWidth, area.offsetWidth);
    const height = Math.min(element.clientHeight, area.offsetHeight);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  }

  function paint() {
    const colours = Object.fromEntries(Object.entries(probes).map(([key, probe]) => [key, getComputedStyle(probe).color]));
    const [width, height] = [canvas.width / devicePixelRatio, canvas.height / devicePixelRatio];
    const [x0, y0] = [left - element.scrollLeft, top - element.scrollTop];
    const seen = (start, end) => [Math.max(0, Math.floor(-start / cell)), Math.min(count(), Math.ceil((end - start) / cell))];
    const [firstRow, lastRow] = seen(y0 - top, height - top);
    const [firstColumn, lastColumn] = seen(x0 - left, width - left);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, width, height);
    if (!count()) return;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width - left, height - top);
    pen.clip();
    paintCells(colours, x0, y0, firstRow, lastRow, firstColumn, lastColumn);
    pen.restore();
    paintNames(colours, x0, y0, [firstRow, lastRow], [firstColumn, lastColumn]);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, left, top);
    setFont(12);
    pen.fillStyle = colours.quiet;
    [pen.textAlign, pen.textBaseline] = ["right", "middle"];
    pen.fillText("Predicted →", left - 6, top - (level ? 14 : 28));
    pen.fillText("Label ↓", left - 6, top - (level ? 30 : 10));
  }

  function paintCells(colours, x0, y0, firstRow, lastRow, firstColumn, lastColumn) {
    const [right, bottom] = [x0 + cell * count(), y0 + cell * count()];
    const gap = cell >= 8 ? 1 : 0;
    const words = [];
    if (!gap) {
      pen.strokeStyle = colours.line;
      pen.lineWidth = 1;
      pen.strokeRect(x0 + 0.5, y0 + 0.5, right - x0, bottom - y0);
    }
    for (let i = firstRow; i < lastRow; i++) {
      const label = data.shown[i];
      for (const [column, value] of data.rows[label]) {
        const j = place.get(column);
        if (j === undefined || j < firstColumn || j >= lastColumn) continue;
        pen.globalAlpha = (gap ? 0.1 : 0.3) + 0.5 * data.weight(label, column, value);
        pen.fillStyle = label === column ? colours.accent : colours.mistake;
        pen.fillRect(x0 + j * cell, y0 + i * cell, cell - gap, cell - gap);
        if (cell >= 18) words.push([data.text(label, column, value), x0 + (j + 0.5) * cell, y0 + (i + 0.5) * cell]);
      }
    }
    pen.globalAlpha = 1;
    if (gap) {
      pen.fillStyle = colours.line;
      pen.globalAlpha = cell >= 16 ? 0.5 : 0.25;
      for (let i = firstRow; i <= lastRow; i++) pen.fillRect(x0, y0 + i * cell - 1, right - x0, 1);
      for (let j = firstColumn; j <= lastColumn; j++) pen.fillRect(x0 + j * cell - 1, y0, 1, bottom - y0);
      pen.globalAlpha = 1;
    }
    setFont(Math.min(15, Math.max(10, cell * 0.42)));
    pen.fillStyle = colours.ink;
    [pen.textAlign, pen.textBaseline] = ["center", "middle"];
    for (const [text, x, y] of words) if (pen.measureText(text).width <= cell - 3) pen.fillText(text, x, y);
    const outline = (at, colour, thick) => {
      const [i, j] = [place.get(at[0]), place.get(at[1])];
      if (i === undefined || j === undefined) return;
      pen.strokeStyle = colour;
      pen.lineWidth = thick;
      pen.strokeRect(x0 + j * cell - 0.5, y0 + i * cell - 0.5, cell, cell);
    };
    if (hovered) {
      pen.fillStyle = colours.ink;
      pen.globalAlpha = 0.06;
      const [i, j] = [place.get(hovered[0]), place.get(hovered[1])];
      pen.fillRect(x0, y0 + i * cell, right - x0, cell);
      pen.fillRect(x0 + j * cell, y0, cell, bottom - y0);
      pen.globalAlpha = 1;
      outline(hovered, colours.quiet, 1);
    }
    if (data.chosen) outline(data.chosen, colours.accent, 3);
    if (document.activeElement === button) outline(here, colours.ink, 2);
  }

  // Every name where there is room, else every so many; that of the cell one looks at always.
  function paintNames(colours, x0, y0, rows, columns) {
    const step = Math.max(1, Math.ceil(11 / cell));
    const px = Math.min(FONT, Math.max(10, cell - 1));
    const at = hovered ?? (document.activeElement === button ? here : null);
    const names = (begin, end, mine, write) => {
      for (let i = begin; i < end; i++) if (i % step === 0 && (step === 1 || !(Math.abs(i - mine) < step))) write(i, i === mine);
      if (mine !== undefined && step > 1) write(mine, true);
    };
    const write = (text, room, bold) => {
      setFont(px, bold ? "bold" : "");
      pen.fillStyle = colours.ink;
      pen.fillText(ellipsis(text, room), 0, 0);
    };
    pen.textBaseline = "middle";
    pen.save();
    pen.beginPath();
    pen.rect(0, top, left, canvas.height);
    pen.clip();
    pen.textAlign = "right";
    names(...rows, at ? place.get(at[0]) : undefined, (i, bold) => {
      pen.save();
      pen.translate(left - 6, y0 + (i + 0.5) * cell);
      write(data.names[data.shown[i]], left - 10, bold);
      pen.restore();
    });
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, canvas.width, top);
    pen.clip();
    pen.textAlign = level ? "center" : "left";
    names(...columns, at ? place.get(at[1]) : undefined, (j, bold) => {
      pen.save();
      pen.translate(x0 + (j + 0.5) * cell, level ? top - 12 : top - 6);
      if (!level) pen.rotate(-Math.PI / 2);
      write(data.names[data.shown[j]], level ? cell : top - 10, bold);
      pen.restore();
    });
    pen.restore();
  }

  // The labels of the cell at a place in the window.
  function under({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    if (x < left || y < top) return null;
    const [i, j] = [Math.floor((y - top + element.scrollTop) / cell), Math.floor((x - left + element.scrollLeft) / cell)];
    return i < count() && j < count() ? [data.shown[i], data.shown[j]] : null;
  }

  function look(at) {
    if (at?.[0] === hovered?.[0] && at?.[1] === hovered?.[1]) return;
    hovered = at;
    const focused = document.activeElement === button ? here : null;
    looked(...(hovered ?? focused ?? []));
    draw();
  }

  function settle() {
    const [i, j] = [place.get(here[0]) ?? 0, place.get(here[1]) ?? 0];
    here = [data.shown[i], data.shown[j]];
    row.setAttribute("aria-rowindex", i + 1);
    button.setAttribute("aria-colindex", j + 1);
    button.setAttribute("aria-label", count() ? sentence(...here) : "");
    Object.assign(button.style, { left: `${left + j * cell}px`, top: `${top + i * cell}px`, width: `${cell}px`, height: `${cell}px` });
    return [i, j];
  }

  function reveal(row, column) {
    const into = (from, room, at) => Math.max(Math.min(from, at * cell), (at + 1) * cell - room);
    element.scrollTop = into(element.scrollTop, element.clientHeight - top, row);
    element.scrollLeft = into(element.scrollLeft, element.clientWidth - left, column);
  }

  function move(i, j) {
    here = [data.shown[Math.min(count() - 1, Math.max(0, i))], data.shown[Math.min(count() - 1, Math.max(0, j))]];
    reveal(...settle());
    hovered = null;
    looked(...here);
    draw();
  }

  const keys = {
    ArrowUp: (i, j) => [i - 1, j], ArrowDown: (i, j) => [i + 1, j],
    ArrowLeft: (i, j) => [i, j - 1], ArrowRight: (i, j) => [i, j + 1],
    PageUp: (i, j) => [i - 10, j], PageDown: (i, j) => [i + 10, j],
    Home: (i, j, far) => [far ? 0 : i, 0], End: (i, j, far) => [far ? Infinity : i, Infinity],
  };
  button.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey } = event;
    if (Object.hasOwn(keys, key) && count()) move(...keys[key](place.get(here[0]), place.get(here[1]), ctrlKey || metaKey));
    else if ((key === "+" || key === "-") && !ctrlKey && !metaKey) zoom(key === "+" ? 1.3 : 1 / 1.3);
    else return;
    event.preventDefault();
  });

  // What lies under the pointer, or in the middle, stays where it is.
  function zoom(factor, [x, y] = [(element.clientWidth - left) / 2, (element.clientHeight - top) / 2]) {
    const [column, row] = [(element.scrollLeft + x) / cell, (element.scrollTop + y) / cell];
    const whole = Math.min(element.clientWidth - left, Math.max(240, TALLEST * innerHeight) - top) / count();
    const smallest = Math.max(1, Math.min(cell, CELL[0], Math.floor(whole)));
    size = factor === "fit" ? Math.max(1, Math.min(CELL[1], Math.floor(whole))) : Math.min(CELL[1], Math.max(smallest, Math.round(cell * factor)));
    layout();
    settle();
    element.scrollLeft = column * cell - x;
    element.scrollTop = row * cell - y;
    draw();
  }

  canvas.addEventListener("pointermove", (event) => event.pointerType === "touch" || look(under(event)));
  canvas.addEventListener("pointerleave", () => look(null));
  canvas.addEventListener("click", (event) => {
    const at = under(event);
    if (!at) return;
    here = at;
    settle();
    choose(...at);
    draw();
  });
  element.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, [event.clientX - box.left - left, event.clientY - box.top - top]);
  }, { passive: false });
  element.addEventListener("scroll", draw);
  button.addEventListener("focus", () => move(place.get(here[0]), place.get(here[1])));
  button.addEventListener("blur", () => {
    looked();
    draw();
  });
  const watcher = new ResizeObserver(() => {
    layout();
    settle();
  });
  watcher.observe(element);
  // A theme changes colours without changing anything else.
  const themes = new MutationObserver(draw);
  for (const one of [document.documentElement, document.body]) themes.observe(one, { attributes: true });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);

  return {
    element,
    palette,
    zoom,
    widest: () => left + CELL[1] * count() + 1,
    draw(next) {
      const same = next.shown.length === data.shown.length && next.shown.every((label, i) => label === data.shown[i]);
      data = next;
      if (!same) {
        place = new Map(data.shown.map((label, i) => [label, i]));
        widths.clear();
        hovered = null;
        element.setAttribute("aria-rowcount", count());
        element.setAttribute("aria-colcount", count());
        layout();
      }
      if (String(data.chosen) !== chosen && place.has(data.chosen?.[0]) && place.has(data.chosen[1])) {
        here = data.chosen;
        reveal(...settle());
      } else settle();
      chosen = String(data.chosen);
      draw();
    },
    close() {
      watcher.disconnect();
      themes.disconnect();
      dark.removeEventListener("change", draw);
      cancelAnimationFrame(frame);
    },
  };
}
