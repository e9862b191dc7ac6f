const UNSURE = "\u0000unsure"; // no label can be this: labels come as printable text
const FLAGGED = "\u0000flagged";
const FAILED = "\u0000failed";

function view(model, el, thumbnails) {
  let order = { key: null, down: false };
  let token = null;
  const images = new Map(); // id -> the <img> elements that wait for it
  const name = h("h4", { tabindex: "-1" });
  const bar = h("progress", { "aria-label": "Photos classified" });
  const doing = h("span", { role: "status" });
  const working = h("div", { class: "row" }, bar, doing,
    h("button", { type: "button", onclick: () => model.send({ type: "cancel" }) }, "Cancel"));
  const filter = h("select", { "aria-label": "Show only", onchange: () => update() });
  const csv = (flags, text) =>
    h("button", { type: "button", onclick: () => {
      token = `${Math.random()}${flags ? " flags" : ""}`;
      model.send({ type: "csv", token, flags });
    } }, text);
  const all = csv(false, "Download CSV");
  const flags = csv(true, "Download flags");
  const clear = h("button", { type: "button", class: "plain", onclick: () => model.send({ type: "clear" }) }, "Clear");
  const undo = h("button", { type: "button", class: "plain", onclick: () => model.send({ type: "undo" }) }, "Undo clear");
  const tools = h("div", { class: "row" }, filter, all, flags, clear);
  const heads = { item: "Photo", predicted: "Answer", confidence: "Confidence", label: "Right answer" };
  const columns = Object.entries(heads).map(([key, text]) =>
    h("th", { scope: "col", "data-key": key }, h("button", { type: "button", class: "plain", onclick: () => {
      order = { key, down: order.key === key ? !order.down : key === "confidence" };
      update();
    } }, text)));
  const body = h("tbody", {});
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...columns)), body);
  el.classList.add("ipyfastai", "ipyfastai-predictions-table");
  el.append(name, working, tools, h("div", { class: "scroll" }, table), undo);

  // Only what is near the screen asks for its thumbnail.
  const wanted = new Set();
  const watcher = new IntersectionObserver((changes) => {
    for (const { isIntersecting, target } of changes) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      if (!wanted.size) queueMicrotask(() => {
        model.send({ type: "thumbnails", ids: [...wanted] });
        wanted.clear();
      });
      wanted.add(target.dataset.id);
    }
  }, { rootMargin: "300px" });

  function thumbnail(id) {
    const image = h("img", { alt: "", "data-id": id });
    images.set(id, image);
    if (thumbnails.has(id)) image.src = thumbnails.get(id);
    else watcher.observe(image);
    return image;
  }

  function line(row) {
    const choose = h("button", {
      type: "button", class: "item plain", onclick: () => model.send({ type: "choose", id: row.id }),
    }, thumbnail(row.id), h("span", { class: "name" }, row.item));
    const labels = model.get("_labels");
    const right = h("select", { "aria-label": `Right answer for ${row.item}` },
      h("option", { value: "" }, "–"), ...labels.map((label) => h("option", { value: label }, label)));
    right.value = row.label;
    right.addEventListener("change", () => model.send({ type: "flag", id: row.id, label: right.value }));
    const selected = row.id === model.get("_selected");
    return h("tr", { "aria-selected": String(selected), class: row.label && row.label !== row.predicted ? "wrong" : "" },
      h("td", {}, choose),
      h("td", { class: "name" }, row.error ? h("span", { class: "error" }, row.error) : row.predicted,
        row.unfamiliar ? h("span", { class: "unsure" }, " not sure") : null),
      h("td", { class: "figure" }, row.error ? "" : percent(row.confidence)),
      h("td", {}, labels.length ? right : null));
  }

  const fits = (row, only) =>
    only === "" || (only === UNSURE ? row.unfamiliar : only === FLAGGED ? row.label !== ""
      : only === FAILED ? row.error !== "" : row.predicted === only);

  function options(rows) {
    const chosen = filter.value;
    const counts = new Map();
    for (const { predicted, error } of rows) if (!error) counts.set(predicted, (counts.get(predicted) ?? 0) + 1);
    const special = [[UNSURE, "Not sure"], [FLAGGED, "Flagged"], [FAILED, "Failed"]];
    const list = [["", `All ${rows.length}`],
      ...[...counts].sort().map(([label, count]) => [label, `${label} (${count})`]),
      ...special.map(([key, text]) => [key, text, rows.filter((row) => fits(row, key)).length])
        .filter(([, , count]) => count).map(([key, text, count]) => [key, `${text} (${count})`])];
    filter.replaceChildren(...list.map(([value, text]) => h("option", { value }, text)));
    filter.value = list.some(([value]) => value === chosen) ? chosen : "";
  }

  function update() {
    const rows = model.get("_rows");
    const { done = 0, total = 0, undo: canUndo = false } = model.get("_progress");
    options(rows);
    const shown = rows.filter((row) => fits(row, filter.value));
    if (order.key) {
      const by = ({ [order.key]: value }) => value ?? (order.key === "confidence" ? -1 : "");
      shown.sort((a, b) => (typeof by(a) === "string"
        ? by(a).localeCompare(by(b), undefined, { numeric: true }) : by(a) - by(b)) * (order.down ? -1 : 1));
    }
    for (const column of columns)
      column.setAttribute("aria-sort", column.dataset.key !== order.key ? "none" : order.down ? "descending" : "ascending");
    const focused = el.contains(document.activeElement) && document.activeElement.closest("tr");
    const place = focused ? [...body.children].indexOf(focused) : -1;
    const control = document.activeElement?.tagName;
    images.clear();
    body.replaceChildren(...shown.map(line));
    // The rows are new elements: whoever used the keyboard stays where they were.
    if (place >= 0 && body.children[place]) body.children[place].querySelector(control.toLowerCase())?.focus();
    const flagged = rows.filter((row) => row.label).length;
    name.textContent = `${rows.length} photos${flagged ? `, ${flagged} flagged` : ""}`;
    working.hidden = done >= total;
    bar.max = total || 1;
    bar.value = done;
    doing.textContent = working.hidden ? "" : `Classified ${done} of ${total}`;
    flags.hidden = !flagged;
    const many = rows.length > 1;
    for (const part of [name, tools, table]) part.hidden = !many;
    undo.hidden = !canUndo;
    el.hidden = !many && working.hidden && !canUndo;
  }

  const hear = (message, buffers) => {
    if (message.type === "thumbnail") {
      if (!thumbnails.has(message.id))
        thumbnails.set(message.id, URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })));
      const image = images.get(message.id);
      if (image) image.src = thumbnails.get(message.id);
    } else if (message.type === "csv" && message.token === token) {
      download(token.endsWith("flags") ? "flags.csv" : "predictions.csv", message.text);
    }
  };
  model.on("msg:custom", hear);
  const names = ["_rows", "_labels", "_selected", "_progress"];
  // One message may change several: draw once.
  let drawing = false;
  const soon = () => {
    if (!drawing) queueMicrotask(() => ((drawing = false), update()));
    drawing = true;
  };
  for (const each of names) model.on(`change:${each}`, soon);
  update();
  return () => watcher.disconnect();
}

export default () => {
  const thumbnails = new Map(); // id -> object URL, shared by all views
  return { render: ({ model, el }) => view(model, el, thumbnails) };
};
