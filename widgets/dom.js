// Joined in front of each widget's module: the few helpers they all need.

// h("button", {class: "x", onclick}, "text", child): elements by DOM calls only, so that data
// (file names, labels) can never become markup.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// No more certain than the number is: nothing but 1 is 100 %, nothing but 0 is 0 %.
export function percent(probability) {
  if (probability >= 0.9995) return probability < 1 ? "> 99.9 %" : "100 %";
  if (probability < 0.005) return probability > 0 ? "< 1 %" : "0 %";
  return `${probability > 0.99 ? (probability * 100).toFixed(1) : Math.round(probability * 100)} %`;
}

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

// Draws now, and once for each message that changes any of the named traits.
export function follow(model, names, draw) {
  let drawing = false;
  const soon = () => {
    if (drawing) return;
    drawing = true;
    queueMicrotask(() => {
      drawing = false;
      draw();
    });
  };
  for (const name of names) model.on(`change:${name}`, soon);
  draw();
}

// The select in which a visitor says which label is right, and a function that sets what it shows.
// A thousand labels in each of a thousand rows are a million options: where labels are many, only
// the one shown is there until somebody reaches for the others.
export function rightAnswer(labels, changed, attributes = {}) {
  const option = (value) => h("option", { value }, value || "–");
  const select = h("select", { class: "label", ...attributes }, option(""));
  let filled = null;
  const fill = () => {
    if (labels() === filled) return;
    filled = labels();
    const { value } = select;
    select.replaceChildren(...Array.from(new Set(["", ...filled, value]), option));
    select.value = value;
  };
  const show = (value) => {
    if (labels().length <= 20 && select !== document.activeElement) fill();
    if (select.value === value) return;
    if (![...select.options].some((one) => one.value === value)) select.append(option(value));
    select.value = value;
  };
  select.addEventListener("focus", fill);
  select.addEventListener("pointerdown", fill);
  select.addEventListener("change", () => changed(select.value));
  return [select, show];
}

// Hands a file to the visitor without asking any server for it. Excel takes a CSV without the
// byte order mark for the computer's old code page.
export function download(name, text, type = "text/csv;charset=utf-8") {
  const mark = type.startsWith("text/csv") ? "\ufeff" : "";
  const url = URL.createObjectURL(new Blob([mark, text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// 5 -> "5 s", 150 -> "3 min", 4000 -> "1 h 7 min": no more exact than an estimate is.
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
