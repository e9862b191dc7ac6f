// What the pointer is over: asked for when it rests there, for a page has no texts of a million points.
const RESTING = 80; // ms

// In `frame`; `at(row)` is where a point is in it, `ask(row)` asks what is known of it, for `tell` to show.
function tooltip(frame, at, ask) {
  const about = h("div", { class: "about", hidden: true });
  frame.append(about);
  let over = null;
  let resting;

  function enter(row) {
    over = row;
    clearTimeout(resting);
    resting = setTimeout(() => ask(row), RESTING);
  }
  function leave() {
    clearTimeout(resting);
    over = null;
    about.hidden = true;
  }
  function tell({ row, title, lines }, buffers) {
    if (row !== over) return;
    const address = buffers.length ? URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })) : "";
    const seen = () => {
      URL.revokeObjectURL(address);
      stand();
    };
    const picture = address ? h("img", { src: address, alt: "", onload: seen }) : null;
    about.replaceChildren(...[picture, h("strong", {}, visible(title)),
      ...lines.map(([name, value]) => h("span", {}, `${visible(name)}: ${visible(value)}`))].filter(Boolean));
    about.hidden = false;
    stand();
  }
  // Beside its point, on the side where there is room.
  function stand() {
    if (about.hidden) return;
    const place = at(over);
    if (!place) return leave();
    const left = place[0] > frame.clientWidth / 2 ? place[0] - about.offsetWidth - 14 : place[0] + 14;
    about.style.left = `${Math.max(0, Math.min(left, frame.clientWidth - about.offsetWidth))}px`;
    about.style.top = `${Math.max(0, Math.min(place[1] - 10, frame.clientHeight - about.offsetHeight))}px`;
  }
  return { enter, leave, tell, stand };
}
