const METHODS = [
  ["crop", "Crop", "Cuts off what is too long, at a random place while training. What lies at the edge may be lost."],
  ["squish", "Squish", "Keeps everything, but not its shape: what is round becomes oval."],
  ["pad_zeros", "Pad with black", "Keeps everything and its shape; part of each picture is wasted on black. Where, is random while training."],
  ["pad_reflection", "Pad with reflections", "Keeps everything and its shape; mirrors the picture into the margins, which are at random sides while training."],
  ["pad_border", "Pad with the border", "Keeps everything and its shape; draws the outermost pixels into the margins, which are at random sides while training."],
  ["random_crop", "Random resized crop", "Another part at another scale each time: the model learns that things come in all sizes."],
];
const CHOICES = {
  flip: ["Flips", [["none", "None"], ["horizontal", "Left to right"], ["dihedral", "All eight ways"]]],
  fill: ["Edges show", [["reflection", "a reflection"], ["zeros", "black"], ["border", "the border"]]],
  order: ["Order", [["at_size", "At that size"], ["presize", "Presizing"]]],
  split: ["As seen in", [["train", "training"], ["valid", "validation"]]],
};
// name: label, lowest, highest, step, how it reads
const SLIDERS = {
  size: ["Size", 32, 512, 16, (value) => `${value} px`],
  min_scale: ["Smallest part", 0.05, 1, 0.05, (value) => `${Math.round(value * 100)} %`],
  rotate: ["Rotation", 0, 180, 5, (value) => (value ? `up to ${value}°` : "none")],
  zoom: ["Zoom", 1, 3, 0.1, (value) => (value > 1 ? `up to ${value.toFixed(1)}×` : "none")],
  lighting: ["Lighting", 0, 0.9, 0.05, (value) => (value ? `up to ${value.toFixed(2)}` : "none")],
  warp: ["Warp", 0, 0.8, 0.05, (value) => (value ? `up to ${value.toFixed(2)}` : "none")],
  probability: ["How often", 0, 1, 0.05, (value) => `${Math.round(value * 100)} %`],
  presize: ["First to", 64, 1024, 4, (value) => `${value} px`],
  count: ["Draws", 1, 12, 1, (value) => `${value}`],
};
const moves = (set) => set.flip !== "none" || set.rotate > 0 || set.zoom > 1 || set.warp > 0;
const varies = (set) => set.rotate > 0 || set.zoom > 1 || set.warp > 0 || set.lighting > 0;
const WHEN = { // the others always
  min_scale: (set) => set.method === "random_crop",
  probability: varies,
  fill: moves,
  presize: (set) => set.order === "presize",
  compare: (set) => set.order === "presize",
};

// A labelled control: `draw` sets it unless it is being moved right now, which the kernel's echo would undo.
function field(name, label, input, read, write) {
  const said = h("span", { class: "quiet" });
  input.setAttribute("aria-label", label); // without what it reads, which is its value
  const element = h("label", { class: "field" }, h("span", { class: "what" }, label, said), input);
  return {
    name, element,
    draw(settings) {
      element.hidden = WHEN[name] ? !WHEN[name](settings) : false;
      if (element.contains(document.activeElement) && input.type === "range") return;
      write(settings[name]);
      said.textContent = read ? read(settings[name]) : "";
    },
    say: (text) => (said.textContent = text),
  };
}

function slider(name, send) {
  const [label, min, max, step, read] = SLIDERS[name];
  const input = h("input", { type: "range", min, max, step, oninput: () => {
    const value = Number(input.value);
    one.say(read(value));
    input.setAttribute("aria-valuetext", read(value));
    send(name, value);
  } });
  const one = field(name, label, input, read, (value) => {
    input.value = value;
    input.setAttribute("aria-valuetext", read(value));
  });
  return one;
}

function choice(name, send, [label, options] = CHOICES[name]) {
  const input = h("select", { onchange: () => send(name, input.value) },
    ...options.map(([value, text]) => h("option", { value }, text)));
  return field(name, label, input, null, (value) => (input.value = value));
}

export default {
  render({ model, el }) {
    const urls = pictureURLs();
    const send = (name, value) => model.send({ type: "set", name, value });
    const method = choice("method", send, ["To one size", METHODS]);
    const about = h("p", { class: "quiet" });
    const both = h("input", { type: "checkbox", onchange: () => send("compare", both.checked) });
    const compare = h("label", { class: "field check" }, both, h("span", {}, "Beside the naive order"));
    const fields = {
      resize: [method, slider("size", send), slider("min_scale", send), choice("order", send), slider("presize", send)],
      vary: [choice("flip", send), ...["rotate", "zoom", "lighting", "warp", "probability"].map((name) => slider(name, send)),
        choice("fill", send)],
      look: [choice("split", send), slider("count", send)],
    };
    const button = (text, message) => h("button", { type: "button", onclick: () => model.send(message) }, text);
    const presets = h("div", { class: "row" }, button("fastai's defaults", { type: "preset", name: "fastai" }),
      button("None", { type: "preset", name: "none" }));
    const again = button("Draw again", { type: "again" });
    const group = (name, title, ...more) => h("fieldset", {}, h("legend", {}, title),
      h("div", { class: "fields" }, ...fields[name].map(({ element }) => element), ...more));
    const controls = h("div", { class: "controls" }, group("resize", "Resizing", compare, about),
      group("vary", "Augmentation", presets), group("look", "What is shown", again));
    const photo = h("img", {});
    const caption = h("figcaption", { class: "quiet name" });
    const original = h("figure", { class: "original" }, photo, caption);
    const groups = h("div", { class: "groups" });
    const boxes = []; // a title, pictures and code for each group, kept while what is in them changes
    el.classList.add("ipyfastai", "ipyfastai-resize-explorer");
    el.append(controls, h("div", { class: "result" }, original, groups));

    function box() {
      const title = h("h4", {});
      const note = h("p", { class: "quiet" });
      const pictures = h("div", { class: "pictures", role: "group" });
      const code = codeBox("Code for this setting");
      return { element: h("section", {}, title, pictures, note, code.element), title, note, pictures, code };
    }

    function drawPictures() {
      const { name = "", width, height, groups: shown = [] } = model.get("_shown");
      const [first, ...draws] = urls.renew(model.get("_pictures"));
      original.hidden = !first;
      if (first) photo.src = first;
      photo.alt = name;
      caption.textContent = `${name}: ${width} × ${height} pixels`;
      while (boxes.length < shown.length) boxes.push(box());
      groups.replaceChildren(...boxes.slice(0, shown.length).map(({ element }) => element));
      let at = 0;
      shown.forEach(({ title, code, count, alike, size }, index) => {
        const one = boxes[index];
        one.title.textContent = title;
        one.title.hidden = !title;
        one.note.textContent = alike ? "Nothing here is random: every draw is the same." : "";
        one.note.hidden = !alike;
        one.code.show(code);
        one.pictures.setAttribute("aria-label", title || "Draws");
        one.pictures.replaceChildren(...draws.slice(at, at + count).map((url, number) =>
          h("img", { src: url, alt: `Draw ${number + 1}`, width: size, height: size, class: size <= 96 ? "small" : "" })));
        at += count;
      });
    }

    function drawControls() {
      const settings = model.get("_settings");
      if (settings.method === undefined) return;
      for (const one of Object.values(fields).flat()) one.draw(settings);
      compare.hidden = !WHEN.compare(settings);
      both.checked = settings.compare;
      about.textContent = METHODS.find(([value]) => value === settings.method)[2];
    }

    follow(model, ["_settings"], drawControls);
    follow(model, ["_shown", "_pictures"], drawPictures);
    return urls.close;
  },
};
