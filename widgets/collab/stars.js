// A rating in stars: a radio group, so that arrow keys and screen readers know it. `steps` are the ratings that
// can be given, the lowest first; `changed` gets the place of one among them.
const KEY_PAUSE = 500; // ms: the arrow keys pass many ratings on their way to the one that is meant

function stars(title, steps, changed) {
  const highest = steps[steps.length - 1];
  const drawn = steps[0] > 0 && highest <= 10 && Number.isInteger(highest) ? highest : 5;
  const end = (place) => (steps[0] > 0 && drawn === highest ? steps[place] / highest : (place + 1) / steps.length);
  const fill = h("span", { class: "fill" }, "★".repeat(drawn));
  const name = `stars-${Math.random()}`;
  const inputs = steps.map((step, place) => {
    const begin = place ? end(place - 1) : 0;
    const input = h("input", { type: "radio", name, value: String(place), "aria-label": `${step} of ${highest} stars` });
    input.style.left = `${begin * 100}%`;
    input.style.width = `${(end(place) - begin) * 100}%`;
    return input;
  });
  const element = h("span", { class: "stars", role: "radiogroup", "aria-label": `Your rating of ${title}` },
    h("span", { class: "empty", "aria-hidden": "true" }, "★".repeat(drawn)), fill, ...inputs);
  fill.ariaHidden = "true";
  let given = -1; // what the kernel knows
  let waits = null; // what the kernel was told and has not said yet: answers to earlier ratings may be on their way
  let timer = null;
  let byPointer = false;

  const chosen = () => inputs.findIndex((input) => input.checked);
  const paint = (place) => (fill.style.width = place < 0 ? "0" : `${end(place) * 100}%`);
  const send = () => {
    clearTimeout(timer);
    timer = null;
    const place = chosen();
    if (place >= 0 && place !== given) changed((given = waits = place));
  };
  element.addEventListener("pointerdown", () => (byPointer = true));
  element.addEventListener("keydown", ({ key }) => {
    byPointer = false;
    if (key === "Enter" && timer) send();
  });
  element.addEventListener("change", () => {
    paint(chosen());
    clearTimeout(timer);
    if (byPointer) send();
    else timer = setTimeout(send, KEY_PAUSE);
  });
  element.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType !== "touch" && inputs.includes(target)) paint(inputs.indexOf(target));
  });
  element.addEventListener("pointerleave", () => paint(chosen()));
  element.addEventListener("focusout", () => timer && send());

  const draw = (place) => {
    waits = null;
    given = place;
    inputs.forEach((input, place) => (input.checked = place === given));
    paint(given);
  };
  return {
    element,
    show(rating) {
      const place = rating === undefined ? -1 : steps.findIndex((step) => Math.abs(step - rating) < 1e-6);
      if (timer || (waits !== null && place !== waits)) return; // somebody is still choosing
      draw(place);
    },
    refuse: () => draw(-1), // the kernel takes no other rating: there is none
    focus: () => (inputs[Math.max(0, chosen())]).focus({ preventScroll: true }),
  };
}
