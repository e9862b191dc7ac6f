const names = { train: "Training", valid: "Validation" };

export default {
  render({ model, el }) {
    const urls = pictureURLs();
    const send = (type, number) => model.send({ type, number });
    const shown = () => model.get("_shown");
    const splits = h("div", { class: "row splits", role: "group", "aria-label": "Data" });
    const count = h("select", { "aria-label": "Number of pictures", onchange: () => send("count", Number(count.value)) });
    const step = (text, label, by) => h("button", { type: "button", "aria-label": label, title: label,
      onclick: () => !on(by) || send("batch", shown().number + by) }, text);
    const [back, next] = [step("‹", "Previous batch", -1), step("›", "Next batch", 1)];
    const again = h("button", { type: "button", onclick: () => send("again") }, "Draw again");
    const leave = h("button", { type: "button", onclick: () => send("back") }, "Back to the batch");
    const name = h("h4", { tabindex: "-1", "aria-live": "polite" });
    const hint = h("p", { class: "quiet" });
    const remark = h("p", { class: "quiet remark", role: "status" });
    const opacity = h("input", { type: "range", min: "0", max: "100", value: "60", oninput: () => fade() });
    const mask = h("label", { class: "row mask" }, h("span", {}, "Overlay"), opacity);
    const legend = h("ul", { class: "legend", "aria-label": "Colours of the overlay" });
    const grid = h("div", { class: "grid", role: "group" });
    el.classList.add("ipyfastai", "ipyfastai-batch-grid");
    el.append(h("div", { class: "row" }, splits, count, back, next, again, leave), name, hint, mask, legend, grid, remark);

    const fade = () => grid.style.setProperty("--overlay", opacity.value / 100);
    const on = (by) => {
      const { number, batches } = shown();
      return number + by >= 0 && (batches === null || number + by < batches);
    };

    // Arrow keys go from picture to picture, Tab past all of them.
    grid.addEventListener("keydown", (event) => {
      const cells = [...grid.querySelectorAll("button")];
      const at = cells.indexOf(document.activeElement);
      if (at < 0) return;
      const across = cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, Home: -at, End: cells.length - 1 - at }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation(); // a notebook has its own use for these keys
      const to = cells[at + by];
      if (!to) return;
      cells[at].tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    });

    function cell(label, position, [picture, overlay, target], varying, pickable) {
      const text = label || `${varying ? "Draw" : "Picture"} ${position + 1}`;
      const image = h("img", { src: picture, alt: pickable ? "" : text });
      image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth <= 96));
      const stack = h("span", { class: "stack" }, image, overlay ? h("img", { src: overlay, class: "overlay", alt: "" }) : null);
      const both = h("span", { class: "pair" }, stack, target ? h("img", { src: target, alt: "The target" }) : null);
      const caption = h("span", { class: "name label" }, varying || overlay ? label : label || "no label");
      if (!pickable) return h("figure", { class: "cell" }, both, caption);
      return h("button", { type: "button", class: "cell", "aria-label": `${text}: show its augmentations`,
        title: "Show many augmentations of it", onclick: () => send("pick", position) }, both, caption);
    }

    function draw() {
      const { splits: all = [], split, number, batches, size, counts = [], varying, photo, label, labels = [], items = [],
        legend: colours = [], remark: said = "", count: wanted } = shown();
      const pictures = urls.renew(model.get("_pictures"));
      const inside = grid.contains(document.activeElement);
      const away = document.activeElement === leave;
      if (splits.children.length !== all.length) splits.replaceChildren(...all.map((one, index) =>
        h("button", { type: "button", onclick: () => send("split", index) }, names[one] ?? one)));
      splits.hidden = all.length < 2;
      all.forEach((one, index) => {
        const here = one === split && !photo;
        splits.children[index].ariaPressed = String(here);
        splits.children[index].classList.toggle("primary", here);
      });
      if (!count.options.length) count.replaceChildren(...counts.map((one) => h("option", { value: one }, `${one} pictures`)));
      count.value = wanted;
      back.hidden = next.hidden = varying;
      again.hidden = leave.hidden = !varying;
      back.ariaDisabled = String(!on(-1)); // and not disabled, which would throw the focus away
      next.ariaDisabled = String(!on(1));
      const of = batches === null ? "" : ` of ${batches}`;
      const part = size && labels.length < size ? `, ${labels.length} of its ${size} pictures` : "";
      name.textContent = !all.length ? "" : varying
        ? `${photo || label || "One photo"}, as training sees it`
        : `${names[split] ?? split} batch ${number + 1}${of}${labels.length ? part : ""}`;
      const pickable = !varying && items.some(Boolean);
      hint.textContent = varying ? "Each is another random draw of the training transforms."
        : pickable ? "Pick a picture to see how training varies it." : "";
      remark.textContent = said;
      remark.hidden = !said;
      mask.hidden = !pictures.some((url, index) => index % 3 === 1 && url);
      legend.replaceChildren(...colours.map(([text, colour]) =>
        h("li", { class: "name" }, h("span", { class: "chip", style: `background: ${colour}` }), text)));
      legend.hidden = !colours.length;
      grid.setAttribute("aria-label", name.textContent);
      grid.replaceChildren(...labels.map((text, index) =>
        cell(text, index, pictures.slice(3 * index, 3 * index + 3), varying, !varying && items[index])));
      const cells = [...grid.querySelectorAll("button")];
      cells.forEach((one, index) => (one.tabIndex = index ? -1 : 0));
      if (inside) (varying ? leave : cells[0] ?? name).focus();
      else if (away && !varying) (cells[0] ?? name).focus();
    }

    fade();
    follow(model, ["_shown", "_pictures"], draw);
    return urls.close;
  },
};
