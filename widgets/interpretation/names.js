// Joined in front of what shows labels.

// A name as it can be shown: nothing that turns the text around it, no end that cannot be seen.
export const visible = (label) => label
  .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")
  .replace(/^\s+|\s+$/g, (space) => "␣".repeat(space.length)) || "(empty)";

// A select and a function that sets its texts and the place of the one chosen; `changed` is told the place of another.
function select(name, changed) {
  const element = h("select", { "aria-label": name, onchange: () => changed(element.selectedIndex) });
  return [element, (texts, chosen) => {
    if (texts.join("\n") !== [...element.options].map((option) => option.textContent).join("\n"))
      element.replaceChildren(...texts.map((text) => h("option", {}, text)));
    element.selectedIndex = chosen;
  }];
}
