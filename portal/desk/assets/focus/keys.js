// Keys a page of Streamlit does not have: Ctrl+Enter from a row of answers and from a day or a time, 1 to 9 for the answers of
// that row, and Enter in a find box for the first match that stands below it. It only presses what is on the screen, as a hand
// would.
const ROW = "[data-testid=stButtonGroup]";

// Streamlit listens on the document for its shortcuts, and a row of answers keeps Enter to itself.
function pressOnPage(event) {
  for (const kind of ["keydown", "keyup"]) {
    const { key, code, keyCode, ctrlKey, metaKey } = event;
    document.dispatchEvent(new KeyboardEvent(kind, { key, code, keyCode, ctrlKey, metaKey, cancelable: true }));
  }
}

const hex = (words) => [...new TextEncoder().encode(words)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function onKey(event) {
  const at = event.target;
  if (!event.isTrusted || event.isComposing || !at.closest) return;
  const row = at.closest(ROW);
  let taken = false;
  if (row && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    pressOnPage(event);
    taken = true;
  } else if (at.matches("[role=spinbutton]") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    // A day or a time is sent when the keyboard leaves it; without this the form would go with the day before the change.
    const page = document.querySelector("[data-testid=stMain]");
    page.tabIndex = -1;
    page.focus({ preventScroll: true });
    setTimeout(pressOnPage, 200, event);
    taken = true;
  } else if (row && /^[1-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const answer = row.querySelectorAll("button")[Number(event.key) - 1];
    if (!answer) return;
    answer.focus();
    if (answer.getAttribute("aria-checked") !== "true") answer.click(); // never takes the answer of one back
    taken = true;
  } else if (event.key === "Enter" && at.matches("input[type=search]") && !event.ctrlKey && !event.metaKey) {
    // Only while the matches are those of exactly the words in the box; else Enter looks for the words.
    const words = hex(at.value.trim().split(/\s+/).join(" "));
    const below = (mark) => at.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING;
    const shown = [...document.querySelectorAll(`[data-found="${words}"]`)].find(below);
    const first = shown && document.querySelector(`.st-key-${shown.dataset.first} button`);
    if (!first) return;
    first.click();
    taken = true;
  }
  if (!taken) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

export default function () {
  document.addEventListener("keydown", onKey, true);
  return () => document.removeEventListener("keydown", onKey, true);
}
