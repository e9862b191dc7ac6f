const GAP = 8; // px between pictures
const NARROWEST = 150; // px of a picture

function pictureView(model, el, store) {
  let columns = 1, cell = NARROWEST, under = 0;
  let active = 0, anchor = 0; // positions of the cursor, and of where a range began
  let touched = false;
  const cells = new Map(); // position -> its cell
  const lines = new Map(); // number -> element of a line of the grid
  const { label, noun } = model.get("_options");
  const keys = () => model.get("_options").keys;

  const counted = h("span", { class: "quiet" });
  const all = h("button", { type: "button", class: "plain", onclick: () => choose([[0, store.count]]) }, "Select all");
  const none = h("button", { type: "button", class: "plain", onclick: () => choose([]) }, "Select none");
  const empty = h("p", { class: "quiet" });
  const probe = h("div", { class: "caption probe", "aria-hidden": "true" });
  const content = h("div", { class: "content", role: "presentation" });
  const grid = h("div", { class: "scroll", role: "grid", "aria-label": label, "aria-multiselectable": "true" }, probe, content);
  el.classList.add("ipyfastai", "ipyfastai-picture-grid");
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys: a digit would make the cell a heading
  el.append(h("div", { class: "row bar" }, counted, all, none), empty, grid);

  const rowCount = () => Math.ceil(store.count / columns);
  const rowHeight = () => cell + under + GAP;
  const list = longList(grid, content, { rowHeight, rowCount, moved: draw });
  const large = enlarged({
    store, act, keys, named,
    step(by) {
      move(active + by, { focus: false });
      return active;
    },
    describe(position) {
      const row = store.row(position);
      if (!row) return { lines: [], text: "" };
      const { lines: under, text } = described(row, position, store.count);
      const extra = [row.name, row.split, row.badge].filter(Boolean);
      return { lines: [...under, h("div", { class: "line quiet" }, extra.join(" · "))], text };
    },
    closed: () => focus(),
  });
  el.append(large.dialog);

  function drawCell(position) {
    cells.get(position)?.draw();
    if (cells.has(position)) large.draw(position);
  }

  function drop(position) {
    cells.get(position)?.empty();
    cells.delete(position);
  }

  function selectCell(position) {
    const { element } = cells.get(position);
    element.ariaSelected = String(store.isSelected(position));
    element.tabIndex = position === active ? 0 : -1;
  }

  // The lines of the grid that are on the screen or near it, and the one with the focus wherever it is.
  function draw() {
    if (!el.isConnected || !grid.clientWidth) return;
    const [begin, end] = list.rows(0.5);
    const keep = new Set();
    for (let number = begin; number < end; number++) keep.add(number);
    if (grid.contains(document.activeElement) && active < store.count) keep.add(Math.floor(active / columns));
    for (const [number, line] of lines) {
      if (keep.has(number)) continue;
      line.remove();
      lines.delete(number);
      for (let at = number * columns; at < (number + 1) * columns; at++) drop(at);
    }
    for (const number of [...keep].sort((a, b) => a - b)) {
      if (!lines.has(number)) lines.set(number, makeLine(number));
      lines.get(number).style.top = `${list.place(number)}px`;
    }
    const seen = list.rows();
    store.wants(view, seen.map((row) => row * columns), [begin * columns, end * columns]);
  }

  function makeLine(number) {
    const line = h("div", { class: "pictures", role: "row", "aria-rowindex": number + 1 });
    for (let at = number * columns; at < Math.min((number + 1) * columns, store.count); at++) {
      cells.set(at, pictureCell(at, { store, column: at % columns, open }));
      line.append(cells.get(at).element);
      drawCell(at);
      selectCell(at);
    }
    const next = [...lines].filter(([other]) => other > number).sort(([a], [b]) => a - b)[0]?.[1];
    content.insertBefore(line, next ?? null); // in the order in which it is read
    return line;
  }

  function measure() {
    const width = grid.clientWidth;
    if (!width) return;
    const first = list.rows()[0] * columns;
    const before = [columns, cell, under].join();
    columns = Math.max(1, Math.floor((width - 2 + GAP) / (NARROWEST + GAP)));
    cell = Math.floor((width - 2 + GAP) / columns) - GAP;
    el.style.setProperty("--cell", `${cell}px`);
    el.style.setProperty("--lines", store.lines);
    under = Math.ceil(probe.getBoundingClientRect().height);
    const focused = grid.contains(document.activeElement);
    if (before !== [columns, cell, under].join()) {
      clear();
      lay();
      list.go(Math.floor(first / columns) * rowHeight());
    }
    draw();
    if (focused && !grid.contains(document.activeElement)) {
      list.reveal(Math.floor(active / columns));
      draw();
      focus();
    }
  }

  function clear() {
    for (const line of lines.values()) line.remove();
    lines.clear();
    [...cells.keys()].forEach(drop);
  }

  function lay() {
    list.resize();
    grid.ariaRowCount = rowCount();
    grid.ariaColCount = columns;
  }

  function count() {
    const chosen = sizeOf(store.ranges);
    const pictures = `${store.count.toLocaleString("en")} ${noun}${store.count === 1 ? "" : "s"}`;
    counted.textContent = !store.count ? "" : chosen ? `${pictures}, ${chosen.toLocaleString("en")} selected` : pictures;
    none.hidden = !chosen;
    all.hidden = !store.count || chosen === store.count;
  }

  // Choosing.

  const choose = (ranges) => store.select(ranges);
  const open = (position) => {
    move(position, { focus: false });
    large.show(position);
  };

  function move(position, { extend = false, only = true, focus: focusing = true } = {}) {
    if (!store.count) return;
    const before = active;
    active = Math.min(store.count - 1, Math.max(0, position));
    if (extend) choose([[Math.min(anchor, active), Math.max(anchor, active) + 1]]);
    else if (only) choose([[active, active + 1]]);
    if (!extend) anchor = active;
    list.reveal(Math.floor(active / columns));
    draw();
    for (const at of [before, active]) if (cells.has(at)) selectCell(at);
    if (focusing) focus();
  }

  const focus = () => cells.get(active)?.element.focus({ preventScroll: true });

  function toggle(position) {
    const change = store.isSelected(position) ? without : including;
    active = anchor = position;
    choose(change(store.ranges, position, position + 1));
  }

  const isFree = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;
  function named(event) {
    if (event.altKey) return "";
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const held = [(event.ctrlKey || event.metaKey) && "Ctrl+", event.shiftKey && /^[a-z]$/.test(name) && "Shift+"];
    return held.filter(Boolean).join("") + name;
  }

  // One of the keys that whoever made this grid has asked for.
  function act(key, position) {
    const [, , advance] = keys().find(([name]) => name === key) ?? [];
    if (advance === undefined) return false;
    store.send("key", { key, position });
    if (!advance || sizeOf(store.ranges) > 1 || position >= store.count - 1) return true;
    if (large.dialog.open) open(position + 1);
    else move(position + 1);
    return true;
  }

  function keydown(event) {
    if (event.target.closest?.("button, dialog") || !store.count) return;
    const page = Math.max(1, Math.floor(grid.clientHeight / rowHeight())) * columns;
    const to = {
      ArrowLeft: active - 1, ArrowRight: active + 1, ArrowUp: active - columns, ArrowDown: active + columns,
      PageUp: active - page, PageDown: active + page, Home: 0, End: store.count - 1,
    }[event.key];
    if (act(named(event), active)) { /* whoever asked for it is told */ }
    else if (to !== undefined && !event.altKey) {
      const leaves = event.key.startsWith("Arrow") && (to < 0 || to >= store.count);
      if (!leaves) move(to, { extend: event.shiftKey, only: isFree(event) });
    } else if (event.key === " ") toggle(active);
    else if (event.key === "Enter" && isFree(event)) open(active);
    else if (event.key.toLowerCase() === "a" && !isFree(event) && !event.altKey) choose([[0, store.count]]);
    else if (event.key === "Escape" && store.ranges.length) choose([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const cellOf = (event) => event.target.closest?.(".cell");
  grid.addEventListener("keydown", keydown);
  grid.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch"));
  grid.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // else text is selected
  grid.addEventListener("click", (event) => {
    if (!cellOf(event)) return;
    const position = Number(cellOf(event).dataset.position);
    if (event.shiftKey) move(position, { extend: true });
    else if (touched || event.ctrlKey || event.metaKey) {
      toggle(position);
      focus();
    } else move(position);
  });
  grid.addEventListener("dblclick", (event) => cellOf(event) && open(Number(cellOf(event).dataset.position)));

  const view = {
    seen: [0, 0], near: [0, 0],
    draw: drawCell,
    select() {
      for (const position of cells.keys()) selectCell(position);
      count();
    },
    reveal(position) {
      if (large.dialog.open) open(position);
      else move(position, { only: false, focus: el.contains(document.activeElement) });
    },
    show(anew) {
      if (anew) {
        if (large.dialog.open) large.dialog.close();
        active = anchor = 0;
      }
      if (anew) clear();
      grid.hidden = !store.count;
      empty.hidden = Boolean(store.count);
      empty.textContent = store.empty;
      measure();
      lay();
      if (anew) list.go(0);
      draw();
      view.select();
    },
  };
  store.views.add(view);
  const watcher = new ResizeObserver(measure);
  watcher.observe(grid);
  view.show(true);
  return () => {
    watcher.disconnect();
    list.close();
    store.views.delete(view);
  };
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = pictureStore(model);
      return store.close;
    },
    render: ({ model, el }) => pictureView(model, el, store),
  };
};
