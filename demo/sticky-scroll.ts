/** Distance from the end, in CSS pixels, within which the reader counts as being at the end. */
const nearEnd = 48;

/** Keeps a scrolling element at its end while it grows, unless the reader has scrolled up. */
export function stickToEnd(scroller: HTMLElement, content: HTMLElement): { jump(): void } {
  let isSticky = true;
  const jump = () => {
    isSticky = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  scroller.addEventListener(
    "scroll",
    () => {
      isSticky = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < nearEnd;
    },
    { passive: true },
  );
  const observer = new ResizeObserver(() => {
    if (isSticky) scroller.scrollTop = scroller.scrollHeight;
  });
  observer.observe(content);
  observer.observe(scroller); // a panel or a keyboard that opens below takes from its height
  return { jump };
}
