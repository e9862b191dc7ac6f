export default {
  render({ model, el }) {
    const bar = h("progress", {});
    const text = h("span", { class: "text name" });
    const left = h("span", { class: "quiet" });
    const cancel = h("button", { type: "button", onclick: () => model.send({ type: "cancel" }) }, "Cancel");
    // Only how it ended is read out: every step would drown a screen reader.
    const outcome = h("p", { role: "status", class: "name" });
    const line = h("div", { class: "row" }, bar, text, left, cancel);
    el.classList.add("ipyfastai", "ipyfastai-job");
    el.append(line, outcome);

    follow(model, ["_shown"], () => {
      const { state, text: said = "", done, total, seconds } = model.get("_shown");
      const running = state === "running" || state === "stopping";
      el.hidden = !running && !said;
      line.hidden = !running;
      outcome.hidden = running;
      bar.setAttribute("aria-label", said || "Progress");
      if (total) {
        bar.max = total;
        bar.value = done;
      } else bar.removeAttribute("value");
      cancel.disabled = state === "stopping";
      cancel.textContent = state === "stopping" ? "Stopping…" : "Cancel";
      text.textContent = said;
      left.textContent = seconds > 1 ? `${duration(seconds)} left` : "";
      outcome.textContent = running ? "" : said;
      outcome.classList.toggle("bad", state === "failed");
    });
  },
};
