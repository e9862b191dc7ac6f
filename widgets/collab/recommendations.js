export default {
  render({ model, el }) {
    const token = `${Math.random()}`;
    const send = (type, more = {}) => model.send({ type, ...more });
    const box = titleBox(model, "Search a title you know", "a word or two of it", (row) => draft(row));
    const ratedHead = h("h4", { tabindex: "-1" });
    const ratedList = h("ul", { "aria-label": "Your ratings" });
    const undo = h("button", { type: "button", class: "plain", onclick: () => send("undo") }, "Undo");
    const clear = h("button", { type: "button", class: "plain", onclick: () => send("clear") }, "Start over");
    const head = h("h4", { tabindex: "-1" });
    const hint = h("p", { class: "quiet" });
    const genre = h("select", { "aria-label": "Genre", onchange: () => send("genre", { place: genre.selectedIndex - 1 }) });
    const csv = h("button", { type: "button", onclick: () => send("csv", { token }) }, "Download CSV");
    const list = h("ol", {});
    const none = h("p", { class: "quiet" }, "Nothing is left to recommend here.");
    const more = h("button", { type: "button", onclick: () => send("more") }, "Show more");
    const said = h("p", { class: "unseen", role: "status" });
    el.classList.add("ipyfastai", "ipyfastai-recommendations");
    const about = h("p", { class: "quiet name" }, model.get("_shown").about);
    el.append(model.get("_shown").about ? about : "", box.element, h("section", { class: "rated" }, h("div", { class: "row" }, ratedHead, undo, clear), ratedList),
      h("section", {}, h("div", { class: "row" }, head, genre, csv), hint, list, none, more), said);

    let drafts = []; // chosen here, and not yet rated
    let places = null; // where each title stood in the list before, and whose list it was
    let follows = null; // the title that the focus goes along with
    const { steps } = model.get("_shown");

    const rate = (row, step) => {
      follows = row.item;
      send("rate", { item: row.item, step });
    };
    const away = (row) => {
      if (drafts.some(({ item }) => item === row.item)) {
        drafts = drafts.filter(({ item }) => item !== row.item);
        update();
      } else send("rate", { item: row.item, step: null });
    };
    function draft(row) {
      if (!rated.rows.has(row.item)) drafts.unshift(row);
      update();
      rated.rows.get(row.item).stars.focus();
    }

    const panels = new Map(); // item -> "similar" or "why", what is open below it
    const ask = (item) => send(panels.get(item), { item, token });
    const opens = (kind) => (row, button) => {
      const open = panels.get(row.item) === kind;
      open ? panels.delete(row.item) : panels.set(row.item, kind);
      listed.rows.get(row.item).close();
      button.ariaExpanded = String(!open);
      if (!open) ask(row.item);
    };
    const similar = { text: "Similar", label: "Similar titles", opens: true, pressed: opens("similar") };
    const why = { text: "Why", label: "Why this", opens: true, pressed: opens("why") };
    const hide = { text: "Hide", label: "Do not show", pressed: (row) => send("hide", { item: row.item }) };
    const remove = { text: "Take away", label: "Take the rating away", pressed: away };
    const rated = titleRows(ratedList, (row) => titleRow(row, steps, { rate, more: [remove] }));
    const listed = titleRows(list, (row) => titleRow(row, steps, { rate, more: [why, similar, hide] }));

    function answer(content) {
      if (content.type === "refused") return refuse(content);
      if (content.token !== token) return;
      if (content.type === "csv") download("recommendations.csv", content.text);
      const there = listed.rows.get(content.item);
      if (!there || panels.get(content.item) !== content.type) return;
      const { panel } = there;
      panel.hidden = false;
      if (content.type === "why") {
        panel.replaceChildren(h("table", {}, h("tbody", {}, ...content.rows.map(({ name, points }) =>
          h("tr", {}, h("th", { scope: "row", class: "name" }, name), h("td", {}, points))))));
      } else {
        panel.replaceChildren(content.rows.length ? h("ul", { "aria-label": `Similar to ${there.row.title}` },
          ...content.rows.map((row) => h("li", {},
            h("button", { type: "button", class: "plain name", "aria-label": `Rate ${row.title}`,
              onclick: () => draft(row) }, row.title),
            h("span", { class: "quiet" }, ` ${row.genres} · similarity ${row.similarity.toFixed(2)}`))))
          : h("p", { class: "quiet" }, "Nothing else here has been rated often enough to compare."));
      }
    }

    // What was asked for is not done; why is said beside it until something else happens.
    function refuse({ item, text }) {
      for (const { rows } of [rated, listed]) rows.get(item)?.refuse(text);
    }

    // Where a title has gone since the list before.
    function moved(title, item, place) {
      const before = places?.get(item);
      const text = !places ? "" : before === undefined ? "new" : before > place ? `▲ ${before - place}`
        : before < place ? `▼ ${place - before}` : "";
      title.dataset.moved = text;
    }

    function update() {
      const shown = model.get("_shown");
      const focused = el.contains(document.activeElement) ? document.activeElement : null;
      const line = focused?.closest(".title-row");
      const lineList = line?.parentElement;
      const index = line ? [...lineList.children].indexOf(line) : -1;
      const tool = focused?.closest(".tools") ? [...focused.parentElement.children].indexOf(focused) : -1;
      const ratedItems = new Set(shown.rated.map(({ item }) => item));
      drafts = drafts.filter(({ item }) => !ratedItems.has(item));
      rated.show([...drafts.map((row) => ({ ...row, hint: "How did you like it?" })), ...shown.rated],
        (row, now) => row.draw(now));
      if (places && places.personal !== shown.personal) places = null;
      listed.show(shown.rows, (row, now, place) => {
        row.draw(now, place);
        row.buttons.firstChild.hidden = !shown.personal; // what everybody likes needs no why
        moved(row.title, now.item, place);
        if (shown.personal && panels.get(now.item) === "why") ask(now.item);
      });
      for (const [item, kind] of [...panels]) {
        if (listed.rows.has(item) && (shown.personal || kind !== "why")) continue;
        panels.delete(item);
        if (listed.rows.has(item)) listed.rows.get(item).close();
      }
      places = new Map(shown.rows.map(({ item }, place) => [item, place]));
      places.personal = shown.personal;

      ratedHead.textContent = shown.rated.length ? `Your ratings (${shown.rated.length})` : "Your ratings";
      ratedHead.hidden = ratedList.hidden = !shown.rated.length && !drafts.length;
      clear.hidden = !shown.rated.length && !shown.hidden;
      undo.hidden = !shown.undo;
      head.textContent = shown.personal ? "For you" : "Popular titles to begin with";
      hint.textContent = shown.personal ? "Ranked by the stars that you would probably give."
        : "Rate some that you know, here or by searching: the list becomes yours.";
      list.setAttribute("aria-label", head.textContent);
      list.classList.toggle("personal", shown.personal);
      none.hidden = shown.rows.length > 0;
      csv.hidden = !shown.rows.length;
      more.hidden = !shown.more;
      genre.hidden = !shown.genres.length;
      if (genre.options.length !== shown.genres.length + 1)
        genre.replaceChildren(...["All genres", ...shown.genres].map((name) => h("option", {}, name)));
      genre.selectedIndex = shown.genre + 1;
      if (said.textContent !== shown.said) said.textContent = shown.said; // what did not change is not read out again
      if (focused) keep(focused, lineList, index, tool);
      follows = null;
    }

    // Whoever uses the keyboard stays with the title that moved, or as near as there is something left.
    function keep(focused, lineList, index, tool) {
      const there = (element) => element?.isConnected && element.checkVisibility();
      if (there(focused)) return focused !== document.activeElement && focused.focus();
      if (follows !== null && rated.rows.has(follows)) return rated.rows.get(follows).stars.focus();
      const near = lineList?.children[Math.min(index, lineList.children.length - 1)];
      const next = tool >= 0 ? near?.querySelector(".tools").children[tool] : near?.querySelector("input");
      if (there(next)) next.focus();
      else if (there(ratedHead)) ratedHead.focus();
      else box.focus();
    }

    model.on("msg:custom", answer);
    follow(model, ["_shown"], update);
    return () => {
      box.close();
      model.off("msg:custom", answer);
    };
  },
};
