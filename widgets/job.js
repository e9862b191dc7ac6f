export default {
  render({ model, el }) {
    const bar = h("progress", {});
    const text = h("span", { class: "text name" });
    const left = h("span", { class: "quiet" });
    const send = (type) => () => model.send({ type });
    const start = h("button", { type: "button", class: model.get("_primary") ? "primary" : "", onclick: send("start") });
    const cancel = h("button", { type: "button", onclick: send("cancel") });
    // Only how it ended is read out: every step would drown a screen reader.
    const outcome = h("p", { role: "status", class: "name" });
    const line = h("div", { class: "row" }, bar, text, left, cancel);
    el.classList.add("ipyfastai", "ipyfastai-job");
    el.append(start, line, outcome);

    follow(model, ["_shown", "button"], () => {
      const { state, text: said = "", done, total, seconds } = model.get("_shown");
      const running = state === "running" || state === "stopping";
      const button = model.get("button");
      const focused = [start, cancel].includes(document.activeElement);
      el.hidden = !running && !said && !button;
      start.hidden = running || !button;
      start.textContent = button;
      line.hidden = !running;
      outcome.hidden = running;
      bar.setAttribute("aria-label", said || "Progress");
      if (total) {
        bar.max = total;
        bar.value = done;
      } else bar.removeAttribute("value");
      cancel.ariaDisabled = state === "stopping"; // and not disabled, which would throw the focus away
      cancel.textContent = state === "stopping" ? "Stopping…" : model.get("_cancel");
      text.textContent = running ? said : "";
      left.textContent = seconds > 1 ? `${duration(seconds)} left` : "";
      outcome.textContent = running ? "" : said;
      outcome.classList.toggle("bad", state === "failed");
      if (focused && button) (running ? cancel : start).focus(); // one stands where the other stood
    });
  },
};
