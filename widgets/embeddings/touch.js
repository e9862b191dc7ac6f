// jupyter-scatter's plot knows a mouse alone: one finger does what dragging does, two move and zoom. A tap is a click
// as it is.
const FAR = 8; // pixels from which a finger is no tap

// Returns what ends that.
function followFingers(box, plot) {
  let [start, dragged, pinched] = []; // where it began, where the dragging finger is, where both are
  let ready = false; // whether the plot has seen where it began: it moves by the way from there
  let zooming = false; // until that is drawn
  const canvas = plot.get("canvas");
  const mouse = (type, [clientX, clientY], buttons) =>
    canvas.dispatchEvent(new MouseEvent(type, { clientX, clientY, buttons, bubbles: true }));
  const spots = ({ targetTouches }) => Array.from(targetTouches, ({ clientX, clientY }) => [clientX, clientY]);
  const far = ([x, y], [toX, toY]) => Math.hypot(toX - x, toY - y);
  const middle = ([[x, y], [toX, toY]]) => [(x + toX) / 2, (y + toY) / 2];

  function drop() {
    if (dragged) mouse("mouseup", dragged, 0);
    dragged = undefined;
  }
  function began(event) {
    const at = spots(event);
    if (at.length > 1) {
      drop();
      pinched = at.slice(0, 2);
      return;
    }
    [start, dragged, pinched, ready] = [at[0], undefined, undefined, false];
    mouse("mousemove", start, 0);
    requestAnimationFrame(() => requestAnimationFrame(() => (ready = true)));
  }
  function moved(event) {
    event.preventDefault(); // the page would scroll
    const at = spots(event);
    if (pinched && at.length > 1) return pinch(at.slice(0, 2));
    if (pinched || !ready || (!dragged && far(start, at[0]) < FAR)) return;
    if (!dragged) mouse("mousedown", start, 1);
    dragged = at[0];
    mouse("mousemove", dragged, 1);
  }
  // What is between both fingers stays there.
  function pinch(at) {
    if (zooming) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const [[x0, x1], [y0, y1]] = ["xScale", "yScale"].map((name) => plot.get(name).domain());
    const value = ([x, y]) => [x0 + ((x - left) / width) * (x1 - x0), y1 - ((y - top) / height) * (y1 - y0)];
    const [before, now] = [pinched, at].map((both) => value(middle(both)));
    const factor = far(...pinched) / Math.max(1, far(...at));
    const target = plot.get("cameraTarget").map((part, axis) => before[axis] + (part - now[axis]) * factor);
    pinched = at;
    zooming = true;
    plot.zoomToLocation(target, plot.get("cameraDistance") * factor).finally(() => (zooming = false));
  }
  function ended(event) {
    if (dragged || pinched) event.preventDefault(); // else it could be taken for a click
    drop();
    if (!event.targetTouches.length) pinched = undefined;
  }
  const listeners = { touchstart: began, touchmove: moved, touchend: ended, touchcancel: ended };
  for (const [type, listener] of Object.entries(listeners)) box.addEventListener(type, listener, { passive: false });
  return () => Object.entries(listeners).forEach(([type, listener]) => box.removeEventListener(type, listener));
}
