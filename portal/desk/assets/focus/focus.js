// Puts the keyboard into the first field of a page that has just been opened, once for each visit, and never takes it from
// somebody who is typing or has already moved on with the keyboard.
const WAIT_MS = 3000; // a page comes to the browser piece by piece

export default function ({ data, parentElement }) {
  const here = parentElement.host ?? parentElement;
  const visit = String(data.visit);
  if (here.dataset.visit === visit) return;
  here.dataset.visit = visit;

  const began = performance.now();
  let moved = false;
  const note = (event) => {
    if (event.key === "Tab") moved = true;
  };
  document.addEventListener("keydown", note, true);
  const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable=true]");

  const look = () => {
    const field = document.querySelector(data.field);
    if (moved || typing() || performance.now() - began > WAIT_MS || !here.isConnected) {
      document.removeEventListener("keydown", note, true);
    } else if (field && !field.disabled) {
      document.removeEventListener("keydown", note, true);
      field.focus({ preventScroll: true });
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
  return () => document.removeEventListener("keydown", note, true);
}
