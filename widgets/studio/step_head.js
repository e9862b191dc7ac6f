const STATES = { locked: "Locked", ready: "", done: "Done", stale: "Out of date" };

export default {
  render({ model, el }) {
    const send = (type) => () => model.send({ type });
    const number = h("span", { class: "number", "aria-hidden": "true" });
    const title = h("span", { class: "title" });
    const state = h("span", { class: "state" });
    const said = h("span", { class: "said quiet name", id: `said-${Math.random().toString(36).slice(2)}` });
    const button = h("button", { type: "button", "aria-describedby": said.id, onclick: send("open") }, number,
      h("span", { class: "words" }, h("span", { class: "row" }, title, state), said));
    const renew = h("button", { type: "button", class: "primary", onclick: send("renew") });
    const why = h("p", {});
    const notice = h("div", { class: "notice row", role: "status" }, why, renew);
    el.classList.add("ipyfastai", "ipyfastai-step-head");
    el.append(h("h2", {}, button), notice);

    const go = (content) => {
      if (content.type !== "go" || !el.checkVisibility()) return;
      el.scrollIntoView({ block: "start" });
      button.focus({ preventScroll: true });
    };
    model.on("msg:custom", go);

    follow(model, ["_shown"], () => {
      const shown = model.get("_shown");
      if (!shown.state) return;
      el.dataset.state = shown.state;
      el.classList.toggle("open", shown.open);
      number.textContent = shown.state === "done" ? "✓" : shown.number;
      title.textContent = `${shown.number}. ${shown.title}`;
      state.textContent = STATES[shown.state];
      said.textContent = shown.said;
      button.ariaLabel = [title.textContent, state.textContent].filter(Boolean).join(", ");
      button.ariaExpanded = String(shown.open);
      // Not disabled: whoever comes to it by keyboard is to hear why it is locked.
      button.ariaDisabled = String(shown.state === "locked");
      notice.hidden = !shown.open || !shown.stale;
      why.textContent = shown.stale;
      renew.hidden = !shown.renew;
      renew.textContent = shown.renew;
    });
    model.send({ type: "seen" });
    return () => model.off("msg:custom", go);
  },
};
