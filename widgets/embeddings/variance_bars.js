export default {
  render({ model, el }) {
    const id = Math.random().toString(36).slice(2);
    const title = h("p", { id }, "Explained variance");
    const said = h("p", { class: "quiet" });
    const bars = h("div", { class: "bars", role: "group", "aria-labelledby": id });
    el.classList.add("ipyfastai", "ipyfastai-variance-bars");
    el.append(title, bars, said, h("p", { class: "quiet" }, "A click on a bar puts its component on x, with Shift on y."));
    let drawn;
    const share = (ratio) => `${(100 * ratio).toFixed(1)} %`;

    follow(model, ["_state"], () => {
      const { ratios = [], x, y } = model.get("_state");
      el.hidden = !ratios.length;
      if (drawn !== ratios.length) {
        bars.replaceChildren(...ratios.map((_, component) => h("button", { type: "button",
          onclick: (event) => model.send({ axis: event.shiftKey ? "y" : "x", component }) }, h("span", { class: "bar" }), h("span", { class: "on" }))));
        drawn = ratios.length;
      }
      const most = Math.max(...ratios, 1e-9);
      ratios.forEach((ratio, component) => {
        const button = bars.children[component];
        const on = [component === x && "x", component === y && "y"].filter(Boolean).join(" and ");
        button.firstChild.style.setProperty("--share", ratio / most);
        button.lastChild.textContent = on.replace(" and ", "");
        button.classList.toggle("chosen", Boolean(on));
        button.setAttribute("aria-label", `Component ${component + 1}, ${share(ratio)}${on ? `, on ${on}` : ""}`);
        button.title = `Component ${component + 1}: ${share(ratio)}`;
      });
      const shown = [...new Set([x, y])].filter((component) => component !== null && component !== undefined);
      const together = shown.reduce((sum, component) => sum + ratios[component], 0);
      said.textContent = shown.length ? `${share(together)} of the variance is in view.` : "";
    });
  },
};
