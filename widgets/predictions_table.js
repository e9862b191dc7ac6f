// What the rows can be narrowed to: one of these functions, or a label. No text is a function.
const all = () => true;
const unsure = (row) => row.unfamiliar;
const flagged = (row) => row.label !== "";
const failed = (row) => row.error !== "";
const fits = (row, only) => (typeof only === "function" ? only(row) : !failed(row) && row.predicted === only);

const heads = { item: "Photo", predicted: "Answer", confidence: "Confidence", label: "Right answer" };
const collator = new Intl.Collator(undefined, { numeric: true });

function compare({ key, down }) {
  const by = key === "confidence"
    ? (a, b) => (a.confidence ?? -1) - (b.confidence ?? -1)
    : (a, b) => collator.compare(a[key], b[key]);
  return down ? (a, b) => by(b, a) : by;
}

// The thumbnails that a model's views show: asked for once, for all of them, and forgotten with their rows.
function album(model) {
  const urls = new Map(); // id -> object URL
  const asked = new Set();
  const views = new Set(); // called with the id of a thumbnail that has come
  let wanted = [];
  const here = () => new Set(model.get("_rows").map((row) => row.id));

  function want(id) {
    if (asked.has(id)) return;
    asked.add(id);
    if (!wanted.length) queueMicrotask(() => {
      model.send({ type: "thumbnails", ids: wanted });
      wanted = [];
    });
    wanted.push(id);
  }

  model.on("msg:custom", ({ type, id }, buffers) => {
    if (type !== "thumbnail" || urls.has(id) || !here().has(id)) return;
    urls.set(id, URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })));
    views.forEach((show) => show(id));
  });
  model.on("change:_rows", () => {
    const ids = here();
    for (const id of asked) if (!ids.has(id)) asked.delete(id);
    for (const [id, url] of urls) {
      if (ids.has(id)) continue;
      URL.revokeObjectURL(url);
      urls.delete(id);
    }
  });
  return { urls, want, views, close: () => urls.forEach((url) => URL.revokeObjectURL(url)) };
}

function view(model, el, thumbnails) {
  let order = { key: null, down: false };
  let only = all;
  let choices = [all]; // what each option of the filter stands for
  let token = null;
  const lines = new Map(); // id -> the elements of a row, kept as long as the row
  const send = (type) => () => model.send({ type });
  const name = h("h4", { tabindex: "-1" });
  const bar = h("progress", { "aria-label": "Photos classified" });
  const doing = h("span", { role: "status" });
  const working = h("div", { class: "row" }, bar, doing, h("button", { type: "button", onclick: send("cancel") }, "Cancel"));
  const filter = h("select", { "aria-label": "Show only", onchange: () => {
    only = choices[filter.selectedIndex];
    update();
  } });
  const csv = (flags, text) =>
    h("button", { type: "button", onclick: () => {
      token = `${Math.random()}${flags ? " flags" : ""}`;
      model.send({ type: "csv", token, flags });
    } }, text);
  const flags = csv(true, "Download flags");
  const clear = h("button", { type: "button", class: "plain", onclick: send("clear") }, "Clear");
  const undo = h("button", { type: "button", class: "plain", onclick: send("undo") }, "Undo clear");
  const said = h("span", { class: "quiet", role: "status" });
  const tools = h("div", { class: "row" }, filter, csv(false, "Download CSV"), flags, clear, said);
  const columns = Object.entries(heads).map(([key, text]) =>
    h("th", { scope: "col", "data-key": key }, h("button", { type: "button", class: "plain", onclick: () => {
      order = { key, down: order.key === key ? !order.down : key === "confidence" };
      update();
    } }, text)));
  const body = h("tbody", {});
  const table = h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...columns)), body));
  el.classList.add("ipyfastai", "ipyfastai-predictions-table");
  el.append(name, working, tools, table, undo);

  // Only what has been on the screen asks for its thumbnail.
  const watcher = new IntersectionObserver((changes) => {
    for (const { isIntersecting, target } of changes) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      thumbnails.want(target.dataset.id);
    }
  }, { rootMargin: "300px" });

  function line(id) {
    const image = h("img", { alt: "", "data-id": id });
    const item = h("span", { class: "name" });
    const choose = h("button", {
      type: "button", class: "item plain", onclick: () => model.send({ type: "choose", id }),
    }, image, item);
    const answer = h("td", { class: "name" });
    const figure = h("td", { class: "figure" });
    const [right, showRight] = rightAnswer(() => model.get("_labels"), (label) => model.send({ type: "flag", id, label }));
    const tr = h("tr", {}, h("td", {}, choose), answer, figure, h("td", {}, right));
    const thumbnail = () => (image.src = thumbnails.urls.get(id));
    if (thumbnails.urls.has(id)) thumbnail();
    else watcher.observe(image);
    let drawn, offered;

    function draw(row, labels, selected) {
      if (selected !== tr.classList.contains("selected")) {
        tr.classList.toggle("selected", selected);
        choose.ariaCurrent = selected ? "true" : null;
      }
      const text = JSON.stringify(row);
      if (text === drawn && labels === offered) return;
      [drawn, offered] = [text, labels];
      item.textContent = row.item;
      answer.replaceChildren(row.error ? h("span", { class: "error" }, row.error) : row.predicted,
        row.unfamiliar ? h("span", { class: "unsure" }, " not sure") : "");
      figure.textContent = row.error ? "" : percent(row.confidence);
      tr.classList.toggle("wrong", row.label !== "" && row.label !== row.predicted);
      right.setAttribute("aria-label", `Right answer for ${row.item}`);
      right.hidden = !labels.length;
      showRight(row.label);
    }
    return { tr, draw, thumbnail, forget: () => watcher.unobserve(image) };
  }

  function offer(rows) {
    const counts = new Map();
    for (const row of rows) if (!failed(row)) counts.set(row.predicted, (counts.get(row.predicted) ?? 0) + 1);
    const offered = [
      ...[...counts].map(([label, count]) => [label, label, count]).sort(([a], [b]) => collator.compare(a, b)),
      ...[[unsure, "Not sure"], [flagged, "Flagged"], [failed, "Failed"]]
        .map(([key, text]) => [key, text, rows.filter(key).length]).filter(([, , count]) => count),
    ];
    choices = [all, ...offered.map(([key]) => key)];
    if (!choices.includes(only)) only = all;
    [`All ${rows.length}`, ...offered.map(([, text, count]) => `${text} (${count})`)].forEach((text, index) => {
      const option = filter.options[index] ?? filter.appendChild(h("option", {}));
      if (option.textContent !== text) option.textContent = text;
      option.value = typeof choices[index] === "string" ? choices[index] : ""; // names it; its place is what counts
    });
    filter.options.length = choices.length;
    filter.selectedIndex = choices.indexOf(only);
  }

  function draw(rows, shown) {
    const labels = model.get("_labels");
    const selected = model.get("_selected");
    const ids = new Set(rows.map((row) => row.id));
    for (const [id, { tr, forget }] of lines) {
      if (ids.has(id)) continue;
      forget();
      tr.remove();
      lines.delete(id);
    }
    for (const row of rows) {
      if (!lines.has(row.id)) lines.set(row.id, line(row.id));
      lines.get(row.id).draw(row, labels, row.id === selected);
    }
    const stays = new Set(shown.map(({ id }) => lines.get(id).tr));
    for (const tr of [...body.children]) if (!stays.has(tr)) tr.remove();
    let next = body.firstChild; // what is in its place is not touched
    for (const tr of stays) {
      if (tr === next) next = next.nextSibling;
      else body.insertBefore(tr, next);
    }
  }

  function update() {
    const rows = model.get("_rows");
    const { done = 0, total = 0, undo: canUndo = false } = model.get("_progress");
    const focused = el.contains(document.activeElement) ? document.activeElement : null;
    const place = [...body.children].indexOf(focused?.closest("tbody tr"));
    offer(rows);
    const shown = rows.filter((row) => fits(row, only));
    if (order.key) shown.sort(compare(order));
    draw(rows, shown);
    for (const column of columns)
      column.ariaSort = column.dataset.key !== order.key ? "none" : order.down ? "descending" : "ascending";
    const flagCount = rows.filter(flagged).length;
    name.textContent = `${rows.length} photo${rows.length === 1 ? "" : "s"}${flagCount ? `, ${flagCount} flagged` : ""}`;
    const text = [
      only === all && !order.key ? "" : `${shown.length} of ${rows.length} photos shown`,
      order.key ? `sorted by ${heads[order.key].toLowerCase()}, ${order.down ? "descending" : "ascending"}` : "",
    ].filter(Boolean).join(", ");
    if (said.textContent !== text) said.textContent = text; // what did not change is not read out again
    working.hidden = done >= total;
    bar.max = total || 1;
    bar.value = done;
    doing.textContent = working.hidden ? "" : `Classified ${done} of ${total}`;
    name.hidden = tools.hidden = !rows.length;
    table.hidden = rows.length < 2 && !flagCount;
    filter.hidden = said.hidden = rows.length < 2;
    flags.hidden = !flagCount;
    undo.hidden = !canUndo;
    el.hidden = !rows.length && working.hidden && !canUndo;
    if (focused) keep(focused, place);
  }

  // Whoever uses the keyboard stays where they were, or as near as there is something left.
  function keep(focused, place) {
    if (!focused.isConnected && place >= 0 && body.children.length) {
      const near = body.children[Math.min(place, body.children.length - 1)];
      focused = near.querySelector(focused.tagName) ?? focused;
    }
    const there = (element) => element.isConnected && element.checkVisibility();
    const next = [focused, name, undo].find(there);
    if (next !== document.activeElement) next?.focus();
  }

  const show = (id) => lines.get(id)?.thumbnail();
  thumbnails.views.add(show);
  model.on("msg:custom", (message) => {
    if (message.type !== "csv" || message.token !== token) return;
    download(token.endsWith("flags") ? "flags.csv" : "predictions.csv", message.text);
  });
  follow(model, ["_rows", "_labels", "_selected", "_progress"], update);
  return () => {
    watcher.disconnect();
    thumbnails.views.delete(show);
  };
}

export default () => {
  let thumbnails;
  return {
    initialize({ model }) {
      thumbnails = album(model);
      return thumbnails.close;
    },
    render: ({ model, el }) => view(model, el, thumbnails),
  };
};
