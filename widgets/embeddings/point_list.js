export default {
  render({ model, el }) {
    const id = Math.random().toString(36).slice(2);
    const field = h("input", { type: "text", id: `field-${id}`, maxlength: 1000, spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: "^star (wars|trek)", "aria-describedby": `bad-${id}`, oninput: soon, onkeydown: key });
    const [columns, showColumns] = select("Search in", search);
    const bad = h("p", { class: "bad", role: "alert", id: `bad-${id}` });
    const title = h("h4", { class: "name", id: `title-${id}` });
    const all = h("button", { type: "button", onclick: () => model.send({ type: "all" }) });
    const list = h("ol", { role: "listbox", tabindex: 0, "aria-labelledby": `title-${id}`, onkeydown: key });
    const status = h("p", { class: "unseen", role: "status" });
    el.classList.add("ipyfastai", "ipyfastai-point-list");
    el.append(h("label", { for: field.id }, "Search by regular expression"), h("div", { class: "row" }, field, columns), bad, title, all, list, status);

    let waiting;
    let drawn;
    let asked = "";
    const state = () => model.get("_state");
    const send = (type, value) => model.send({ type, value });
    let ahead = null; // where a step goes to, until the kernel has answered: the next may be quicker
    function go(place) {
      ahead = place;
      send("current", place);
    }
    function soon() {
      clearTimeout(waiting);
      waiting = setTimeout(search, 250);
    }
    function search() {
      clearTimeout(waiting);
      asked = `${columns.selectedIndex} ${field.value}`;
      model.send({ type: "search", value: field.value, column: columns.selectedIndex });
    }
    function step(by) {
      const { rows, current } = state();
      if (!rows.length) return;
      const from = ahead ?? current;
      go(from === null ? (by > 0 ? 0 : rows.length - 1) : (from + by + rows.length) % rows.length);
    }
    // Enter in the field goes through what was found, in the list it opens the current one.
    function key(event) {
      const inField = event.currentTarget === field;
      const { rows, current } = state();
      const here = ahead ?? current;
      if (event.key === "ArrowDown") step(1);
      else if (event.key === "ArrowUp") step(-1);
      else if (event.key === "Enter" && inField) asked === `${columns.selectedIndex} ${field.value}` ? step(event.shiftKey ? -1 : 1) : search();
      else if (event.key === "Enter" && here !== null) send("open", here);
      else if (event.key === "Home" && !inField && rows.length) go(0);
      else if (event.key === "End" && !inField && rows.length) go(rows.length - 1);
      else return;
      event.preventDefault();
    }
    const line = ([name, note], place) =>
      h("li", { role: "option", id: `${id}-${place}`, onclick: () => go(place), ondblclick: () => send("open", place) },
        h("span", { class: "name" }, visible(name)), h("span", { class: "quiet name" }, note && visible(note)));

    follow(model, ["_state"], () => {
      const { columns: names, rows, current, title: said, bad: wrong, all: offer } = state();
      showColumns(names.map(visible), Math.max(0, columns.selectedIndex));
      columns.hidden = names.length < 2;
      field.setAttribute("aria-invalid", String(Boolean(wrong)));
      bad.textContent = wrong;
      const same = drawn === JSON.stringify(rows);
      if (current === ahead || !same || title.textContent !== said) ahead = null;
      if (title.textContent !== said) status.textContent = title.textContent = said;
      title.hidden = !said;
      all.textContent = offer;
      all.hidden = !offer;
      // A list that stays keeps its lines, where it is scrolled to, and a double click on one of them.
      if (!same) {
        list.replaceChildren(...rows.map(line));
        list.scrollTop = 0;
        drawn = JSON.stringify(rows);
      }
      list.hidden = !rows.length;
      list.querySelector("[aria-selected=true]")?.removeAttribute("aria-selected");
      list.removeAttribute("aria-activedescendant");
      const now = current === null ? null : list.children[current];
      if (!now) return;
      now.setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", now.id);
      // Only the list scrolls, never the page.
      if (now.offsetTop < list.scrollTop) list.scrollTop = now.offsetTop;
      else if (now.offsetTop + now.offsetHeight > list.scrollTop + list.clientHeight)
        list.scrollTop = now.offsetTop + now.offsetHeight - list.clientHeight;
      status.textContent = `${visible(rows[current][0])}, ${rows[current][1] && visible(rows[current][1])}`;
    });
    return () => clearTimeout(waiting);
  },
};
