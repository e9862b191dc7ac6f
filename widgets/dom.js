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

// Hands a file to the visitor without asking any server for it.
export function download(name, text, type = "text/csv;charset=utf-8") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
