// A name as it can be shown: nothing that turns the text around it, no end that cannot be seen.
export const visible = (label) => label
  .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")
  .replace(/^\s+|\s+$/g, (space) => "␣".repeat(space.length)) || "(empty)";
