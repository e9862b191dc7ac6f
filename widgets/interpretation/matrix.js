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

  const canvas = h("canvas", { "aria-hidden": "true" });
  const painter = matrixPainter(canvas);
  const button = h("button", { type: "button", role: "gridcell", class: "cell", onclick: () => choose(...here) });
  const row = h("div", { role: "row", class: "cells" }, button);
  const area = h("div", { class: "area", role: "presentation" }, canvas, row);
  const element = h("div", { class: "matrix", role: "grid", "aria-label": name }, area);
  const count = () => data.shown.length;

  function layout() {
    const width = element.clientWidth;
    if (!width) return;
    const longest = Math.max(0, ...data.shown.map((label) => painter.measure(data.names[label])));
    left = Math.round(Math.min(Math.max(HEADER[0], longest + 12), HEADER[1], Math.max(HEADER[0], width * 0.35)));
    cell = size ?? Math.min(CELL[1], Math.max(CELL[0], Math.floor((width - left - 1) / count())));
    level = longest <= cell - 8;
    top = level ? 44 : Math.round(Math.min(longest, HEADER[1] - 12)) + 14;
    if (!level) top = Math.max(top, 44);
    area.style.width = `${left + cell * count() + 1}px`;
    area.style.height = `${top + cell * count() + 1}px`;
    element.style.maxHeight = `${Math.max(240, TALLEST * innerHeight)}px`;
    painter.resize(Math.min(width, area.offsetWidth), Math.min(element.clientHeight, area.offsetHeight));
    Object.assign(canvas.dataset, { cell, left, top });
    draw();
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      const focused = document.activeElement === button ? here : null;
      const view = { data, place, left, top, cell, level, hovered, here: focused };
      painter.paint(view, [element.scrollLeft, element.scrollTop]);
    });
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
    palette: painter.palette,
    zoom,
    widest: () => left + CELL[1] * count() + 1,
    draw(next) {
      const same = next.shown.length === data.shown.length && next.shown.every((label, i) => label === data.shown[i]);
      data = next;
      if (!same) {
        place = new Map(data.shown.map((label, i) => [label, i]));
        painter.forget();
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
