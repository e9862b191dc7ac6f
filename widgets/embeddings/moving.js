// Who drags or zooms more points than this browser can draw in time sees some of them, until they rest.
const MOVING = 30_000; // points that are drawn while they move
const SLOW = 60; // ms from one frame to the next
const REST = 300; // ms
const CLICK = 8; // pixels: a press that moves no further is none
const PRESS = 500; // ms: a longer one, before it moves, begins a lasso

// `plot` is jupyter-scatter's in `box`; `rested()` is called when all points are there again. Selecting needs all of
// them: the plot finds no others than it draws.
function thinWhileMoving(plot, box, rested) {
  let some = []; // rows, in order
  let slow = false; // found out by the first frames of a movement
  let before = 0; // when the frame before was drawn, 0 at rest
  let thin = false;
  let press = null; // where and when a button went down
  let resting;

  // Without a pattern, which every so many rows would have where these lie in groups.
  function sample(count) {
    let state = 1;
    const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
    return Array.from({ length: MOVING }, (_, place) => Math.floor(((place + random()) * count) / MOVING));
  }
  function wait() {
    clearTimeout(resting);
    resting = setTimeout(rest, REST);
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
    clearTimeout(resting);
    before = 0;
    if (!thin) return;
    thin = false;
    await plot.unfilter({ preventEvent: true });
    rested();
  }

  plot.subscribe("view", () => {
    const now = performance.now();
    slow ||= before > 0 && now - before > SLOW;
    before = now;
    wait();
    begin();
  });
  const far = (event) => Math.hypot(event.clientX - press.x, event.clientY - press.y) > CLICK;
  const heard = {
    wheel: begin, // at once, so that not even the first frame is slow
    pointerdown(event) {
      const drags = plot.get("mouseMode") === "panZoom" && !event.shiftKey;
      press = { x: event.clientX, y: event.clientY, at: performance.now(), drags };
      if (!press.drags) rest();
    },
    pointermove(event) {
      if (!press || !event.buttons) return;
      if (!press.moved && far(event)) press.moved = performance.now() - press.at < PRESS;
      if (press.drags && press.moved) begin();
    },
    pointerup: (event) => press && !far(event) && rest(), // a click follows
  };
  for (const [type, hear] of Object.entries(heard)) box.addEventListener(type, hear, { capture: true, passive: true });
  return {
    // Other points: whether they are drawn in time will be seen.
    drawn(count) {
      clearTimeout(resting);
      [slow, thin, before] = [false, false, 0];
      some = count > 2 * MOVING ? sample(count) : [];
    },
    rest,
    end: () => clearTimeout(resting),
  };
}
