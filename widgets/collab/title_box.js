// A search box whose finds drop down (WAI-ARIA: combobox with a list of options). `chosen` gets {item, title, …}.
function titleBox(model, label, placeholder, chosen) {
  const token = `${Math.random()}`;
  const id = `titles-${token.slice(2)}`;
  const list = h("ul", { id, role: "listbox", "aria-label": "Titles found" });
  const said = h("span", { class: "unseen", role: "status" });
  const input = h("input", { type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder,
    "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list" });
  const element = h("div", { class: "title-box" }, h("label", {}, h("span", { class: "label" }, label), input), list, said);
  let rows = [];
  let at = -1;
  let asked = 0; // how many questions: an answer to an earlier one comes too late
  list.hidden = true;

  const close = () => {
    asked++;
    list.hidden = true;
    input.ariaExpanded = "false";
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (row) => {
    close();
    input.value = "";
    said.textContent = "";
    chosen(row);
  };
  const mark = (place) => {
    at = place;
    [...list.children].forEach((option, index) => (option.ariaSelected = String(index === at)));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${at}`);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const receive = (content) => {
    if (content.type !== "found" || content.token !== `${token} ${asked}`) return;
    rows = content.rows;
    list.replaceChildren(...rows.map((row, place) =>
      h("li", { id: `${id}-${place}`, role: "option", "aria-selected": "false",
        onpointerdown: (event) => event.preventDefault(), // the input keeps the focus
        onclick: () => choose(row) }, h("span", { class: "name" }, row.title), h("span", { class: "quiet" }, row.genres))));
    if (!rows.length) list.append(h("li", { class: "none" }, "No title like this. Fewer letters find more."));
    said.textContent = rows.length ? `${rows.length} found` : "No title like this.";
    list.hidden = false;
    input.ariaExpanded = "true";
    mark(rows.length ? 0 : -1);
  };
  input.addEventListener("input", () => {
    rows = []; // what is still shown was found for other letters
    mark(-1);
    if (!input.value.trim()) return close();
    model.send({ type: "search", token: `${token} ${++asked}`, text: input.value });
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
    } else if (list.hidden || !rows.length) return;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      mark((at + (event.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length);
    } else if (event.key === "Enter") choose(rows[at]);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
  model.on("msg:custom", receive);
  return { element, focus: () => input.focus(), close: () => model.off("msg:custom", receive) };
}
