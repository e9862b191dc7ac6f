// One picture of a grid, as large as the window allows.

// `step(by)` moves to another picture and returns its position; `describe(position)` gives elements and a text;
// `keys()` has the grid's own keys, `named(event)` their name, and `act(key, position)` says whether it was one.
function enlarged({ store, step, describe, keys, named, act, closed }) {
  const image = h("canvas", { role: "img" });
  const problem = h("p", { class: "problem name" });
  const caption = h("div", { class: "caption" });
  const said = h("p", { class: "said", role: "status" });
  const actions = h("div", { class: "row actions" });
  const button = (text, label, onclick) => h("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  const back = button("‹", "Previous picture", () => show(step(-1)));
  const on = button("›", "Next picture", () => show(step(1)));
  const close = button("×", "Close", () => dialog.close());
  const dialog = h("dialog", { class: "enlarged", "aria-label": "Enlarged picture" },
    h("div", { class: "stage" }, image, problem), caption, said, h("div", { class: "row" }, back, on, close), actions);
  let position = -1;

  function draw() {
    const { lines, text } = describe(position);
    const offered = keys().filter(([, name]) => name);
    const wanted = JSON.stringify(offered);
    if (actions.dataset.shows !== wanted) { // else whoever has just pressed one would lose it
      actions.dataset.shows = wanted;
      actions.replaceChildren(...offered.map(([key, name]) =>
        h("button", { type: "button", onclick: () => act(key, position) }, name)));
    }
    caption.replaceChildren(...lines);
    image.ariaLabel = text;
    if (said.textContent !== text) said.textContent = text;
    back.ariaDisabled = String(position <= 0); // a disabled button would lose the focus, and the keys with it
    on.ariaDisabled = String(position >= store.count - 1);
  }

  function show(next) {
    if (next === position && dialog.open) return draw();
    position = next;
    paint(image, store.picture(position)); // the small one, until the large one is there
    problem.textContent = "";
    draw();
    store.enlarge(position, (bitmap, why) => {
      if (position !== next || !dialog.open) return;
      paint(image, bitmap);
      problem.textContent = why;
    });
    if (!dialog.open) dialog.showModal();
  }

  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the grid's own keys move a cursor that nobody sees
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) show(step(by));
    else if (!act(named(event), position)) return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
  dialog.addEventListener("dblclick", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    paint(image);
    position = -1;
    closed();
  });
  return { dialog, show, draw: (at) => dialog.open && at === position && draw() };
}
