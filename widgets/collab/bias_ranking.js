export default {
  render({ model, el }) {
    const send = (type, more = {}) => model.send({ type, ...more });
    const of = (name, text) =>
      h("button", { type: "button", "data-of": name, "aria-pressed": "false", onclick: () => send("of", { of: name }) }, text);
    const choice = h("span", { class: "row choice", role: "group", "aria-label": "Of" }, of("items", "Titles"), of("users", "People"));
    const floor = h("select", { onchange: () => send("floor", { place: floor.selectedIndex }) });
    const floorLabel = h("label", { class: "row" }, "Rated at least", floor);
    const said = h("p", { class: "quiet", role: "status" });
    const title = h("h3", {}, "Liked and disliked beyond taste");
    const box = titleBox(model, "Find a title", "", ({ item }) => {
      if (model.get("_shown").chosen.item === item) return panel.focus(); // nothing would change
      found = true;
      send("choose", { item });
    });
    const panel = h("section", { class: "figures", tabindex: "-1" });
    const slot = h("div", { class: "slot" });
    const ends = h("div", { class: "ends" });
    const lists = ["most", "least"].map((end) => {
      const head = h("h4", {});
      const list = h("ol", {});
      ends.append(h("section", {}, head, list));
      return { end, head, list };
    });
    const more = h("button", { type: "button", onclick: () => send("more") }, "Show more");
    let found = false; // somebody here has searched for one: what is said of it is to be seen
    el.classList.add("ipyfastai", "ipyfastai-bias-ranking");
    el.append(title, said, h("div", { class: "row" }, choice, floorLabel), box.element, slot, ends, more);

    const HEADS = {
      items: ["Liked, whoever rates them", "Disliked, whoever rates them"],
      users: ["The kindest", "The most severe"],
    };
    const signed = (points) => `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(2)} ★`;

    function bar(points, widest) {
      const fill = h("span", { class: points < 0 ? "fill below" : "fill" });
      const share = widest ? (50 * Math.abs(points)) / widest : 0;
      fill.style.width = `${share}%`;
      fill.style.left = `${points < 0 ? 50 - share : 50}%`;
      return h("span", { class: "track", "aria-hidden": "true" }, fill);
    }
    const line = (row, { widest, chosen }) => {
      const open = row.item === chosen.item;
      return h("li", {}, h("button", { type: "button", class: "plain name", "data-item": row.item,
        "aria-expanded": String(open), onclick: () => send("choose", { item: open ? null : row.item }) }, row.title),
      bar(row.points, widest), h("span", { class: "figure" }, signed(row.points)), open ? panel : null);
    };

    function update() {
      const shown = model.get("_shown");
      const focused = el.contains(document.activeElement) ? document.activeElement : null;
      const where = lists.find(({ list }) => list.contains(focused));
      const item = focused?.dataset.item;
      choice.hidden = !shown.users;
      for (const button of choice.children) button.ariaPressed = String(button.dataset.of === shown.of);
      box.element.hidden = floorLabel.hidden = shown.of !== "items";
      if (floor.options.length !== shown.floors.length)
        floor.replaceChildren(...shown.floors.map((least) => h("option", {}, `${least} time${least === 1 ? "" : "s"}`)));
      floor.selectedIndex = shown.floor;
      const text = shown.of === "items" ? `${shown.total.toLocaleString("en")} titles, by what the model adds for each whoever rates it.`
        : `${shown.total.toLocaleString("en")} people, without names, by how much higher or lower they rate.`;
      if (said.textContent !== text) said.textContent = text;
      const { chosen } = shown;
      panel.remove();
      for (const [place, { end, head, list }] of lists.entries()) {
        head.textContent = HEADS[shown.of][place];
        list.setAttribute("aria-label", head.textContent);
        list.replaceChildren(...shown[end].map((row) => line(row, shown)));
        list.parentElement.hidden = !shown[end].length;
      }
      more.hidden = !shown.more;
      if (chosen.figures) {
        if (!panel.isConnected) slot.append(panel); // it stands at neither end
        const rows = [["Beyond taste", signed(chosen.points)], ...chosen.figures];
        panel.setAttribute("aria-label", chosen.title);
        panel.replaceChildren(h("h4", { class: "name" }, chosen.title), h("table", {}, h("tbody", {}, ...rows.map(([name, value]) =>
          h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))))));
      }
      if (found && chosen.figures) panel.focus();
      else if (where && item) ([...where.list.querySelectorAll("button")].find((one) => one.dataset.item === item) ?? more).focus();
      found = false;
    }
    follow(model, ["_shown"], update);
    return () => box.close();
  },
};
