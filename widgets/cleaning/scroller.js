// Which rows of a very long list are on the screen, and where they lie.

// Browsers know no element higher than 17.9 million px (Firefox) or 33.5 million device px (Chromium):
// a longer list lies in one of this height and is moved along under it.
const HIGHEST = 8_000_000;

// `scroller` holds `content`; `rowHeight()` and `rowCount()` are in whole px; `moved` is called after each scroll.
function longList(scroller, content, { rowHeight, rowCount, moved }) {
  let offset = 0; // px that lie above the content's top
  let last = 0;
  let idle;
  const whole = () => rowHeight() * rowCount();
  const room = () => Math.max(0, whole() - scroller.clientHeight);
  const reach = () => Math.max(0, Math.min(whole(), HIGHEST) - scroller.clientHeight);
  const top = () => Math.min(room(), Math.max(0, scroller.scrollTop + offset));

  function settle(place) {
    const share = room() ? Math.min(1, Math.max(0, place / room())) : 0;
    last = scroller.scrollTop = whole() <= HIGHEST ? place : share * reach();
    last = scroller.scrollTop; // as the browser has rounded or bounded it
    offset = whole() <= HIGHEST ? 0 : Math.round(Math.min(room(), Math.max(0, place)) - last);
  }

  scroller.addEventListener("scroll", () => {
    const now = scroller.scrollTop;
    if (now === last) return;
    // A wheel or a finger moves by pixels of pictures; the bar's handle by its share of the whole.
    if (whole() > HIGHEST && Math.abs(now - last) > 5 * scroller.clientHeight) offset = Math.round((now / reach()) * room() - now);
    last = now;
    clearTimeout(idle);
    if (whole() > HIGHEST) idle = setTimeout(() => { settle(top()); moved(); }, 150);
    moved();
  });

  return {
    top,
    place: (row) => row * rowHeight() - offset,
    resize: () => (content.style.height = `${Math.min(whole(), HIGHEST)}px`),
    // [first, end) of the rows on the screen, and of `more` screens around it
    rows(more = 0) {
      const height = scroller.clientHeight;
      const [begin, end] = [top() - more * height, top() + (1 + more) * height];
      return [Math.max(0, Math.floor(begin / rowHeight())), Math.min(rowCount(), Math.ceil(end / rowHeight()))];
    },
    go: (place) => settle(place),
    reveal(row) {
      const [above, below] = [row * rowHeight(), (row + 1) * rowHeight() - scroller.clientHeight];
      if (top() > above) settle(above);
      else if (top() < below) settle(below);
    },
    close: () => clearTimeout(idle),
  };
}
