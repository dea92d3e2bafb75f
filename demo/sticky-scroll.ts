/** Distance from the end, in CSS pixels, within which the reader counts as being at the end. */
const nearEnd = 48;

/** Keeps a scrolling element at its end while `content` in it grows, unless that is empty or the reader has scrolled up. */
export function stickToEnd(scroller: HTMLElement, content: HTMLElement): { jump(): void } {
  let isSticky = true;
  const jump = () => {
    isSticky = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  let lastTop = 0;
  scroller.addEventListener(
    "scroll",
    () => {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      if (scrollHeight - scrollTop - clientHeight < nearEnd) isSticky = true;
      // Only the reader scrolls up. Where text is set anew for another width, the browser moves down and away from the end.
      else if (scrollTop < lastTop) isSticky = false;
      lastTop = scrollTop;
    },
    { passive: true },
  );
  const observer = new ResizeObserver(() => {
    if (isSticky && content.childElementCount > 0) scroller.scrollTop = scroller.scrollHeight;
  });
  observer.observe(content);
  observer.observe(scroller); // a panel or a keyboard that opens below takes from its height
  return { jump };
}
