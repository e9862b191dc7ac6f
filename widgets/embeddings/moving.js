// Who drags or zooms more points than this browser can draw in time sees some of them, until they rest.
const MOVING = 20_000; // points that are drawn while they move
const SLOW = 80; // ms from the beginning of a frame to the second after it
const REST = 300; // ms
const CLICK = 8; // pixels: a press that moves no further is none

// `plot` is jupyter-scatter's in `box`; `rested()` is called when all points are there again. Selecting needs all of
// them: the plot finds no others than it draws.
function thinWhileMoving(plot, box, rested) {
  let some = []; // rows, in order
  let slow = false; // the last time that all were drawn
  let measuring = false;
  let moves = 0;
  let thin = false;
  let press = null; // where a button went down, until it is up again
  let resting;

  // Without a pattern, which every so many rows would have where these lie in groups.
  function sample(count) {
    let state = 1;
    const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
    return Array.from({ length: MOVING }, (_, place) => Math.floor(((place + random()) * count) / MOVING));
  }
  // A browser that cannot follow puts frames off, not timers: both are waited for.
  const afterTwoFrames = (act) => requestAnimationFrame(() => requestAnimationFrame(act));
  function wait() {
    const move = ++moves;
    clearTimeout(resting);
    resting = setTimeout(() => afterTwoFrames(() => move === moves && !press?.drags && rest()), REST);
  }
  function begin() {
    if (!slow || thin || !some.length) return;
    thin = true;
    // What is selected stays so: the plot lets go of what it does not draw.
    const rows = new Set([...some, ...plot.get("selectedPoints").slice(0, MOVING)]);
    plot.filter([...rows].sort((a, b) => a - b), { preventEvent: true });
    wait();
  }
  async function rest() {
    moves += 1;
    if (!thin) return;
    thin = false;
    await plot.unfilter({ preventEvent: true });
    rested();
  }

  plot.subscribe("view", () => {
    wait();
    begin();
  });
  plot.subscribe("drawing", () => {
    if (thin || measuring) return;
    measuring = true;
    const began = document.timeline.currentTime;
    afterTwoFrames(() => {
      measuring = false;
      if (!thin) slow = performance.now() - began > SLOW;
    });
  });
  const far = (event) => Math.hypot(event.clientX - press.x, event.clientY - press.y) > CLICK;
  const heard = {
    wheel: begin, // at once, so that not even the first frame is slow
    pointerdown(event) {
      const drags = plot.get("mouseMode") === "panZoom" && !event.shiftKey;
      press = { x: event.clientX, y: event.clientY, drags };
      if (!press.drags) rest();
    },
    pointermove(event) {
      if (press?.drags && event.buttons && far(event)) begin();
    },
  };
  for (const [type, hear] of Object.entries(heard)) box.addEventListener(type, hear, { capture: true, passive: true });
  function released(event) { // anywhere
    if (!press) return;
    const clicked = event.type === "pointerup" && !far(event);
    press = null;
    if (clicked) rest(); // the click that follows finds all
    else wait();
  }
  const ends = ["pointerup", "pointercancel"];
  for (const type of ends) window.addEventListener(type, released, true);
  return {
    drawn(count) {
      moves += 1;
      thin = false; // other points are all drawn
      some = count > 2 * MOVING ? sample(count) : [];
    },
    rest,
    end() {
      clearTimeout(resting);
      for (const type of ends) window.removeEventListener(type, released, true);
    },
  };
}
