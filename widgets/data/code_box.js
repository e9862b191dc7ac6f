// Code to copy: lines and a button. Where a page has no clipboard (plain HTTP), the lines are selected and the
// browser is asked to copy what is selected.
export function codeBox(label) {
  const lines = h("code", {});
  const box = h("pre", { tabindex: "0", "aria-label": label }, lines);
  const said = h("span", { class: "quiet", role: "status" });
  const copy = h("button", { type: "button", onclick: async () => {
    let done;
    try {
      await navigator.clipboard.writeText(lines.textContent);
      done = true;
    } catch {
      getSelection().selectAllChildren(lines);
      done = document.execCommand("copy");
    }
    said.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => (said.textContent = ""), 4000);
  } }, "Copy");
  const element = h("div", { class: "code" }, box, h("div", { class: "row" }, copy, said));
  return { element, show: (text) => lines.textContent !== text && (lines.textContent = text) };
}
