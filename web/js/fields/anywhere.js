// Files that are dropped or pasted anywhere while a form is there. Without this a browser would leave
// the page and show the file.

/**
 * @param {HTMLElement} form
 * @param {() => {element: HTMLElement, take: (files: File[]) => void, room: () => boolean}[]} fields those
 *   that take pictures now
 */
export function takeAnywhere(form, fields) {
  const receive = (event, data) => {
    const files = [...(data?.files ?? [])];
    const [first] = fields();
    if (!files.length || !first) return false;
    const under = fields().find(({ element }) => element.contains(event.target));
    (under ?? fields().find((one) => one.room()) ?? first).take(files);
    return true;
  };
  const listen = (name, handler) => {
    const whileThere = (event) => {
      if (form.isConnected) handler(event);
      else if (form.dataset.shown) document.removeEventListener(name, whileThere);
      if (form.isConnected) form.dataset.shown = "true";
    };
    document.addEventListener(name, whileThere);
  };
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  listen("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  listen("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    receive(event, event.dataTransfer);
  });
  listen("paste", (event) => {
    const writes = event.target.closest?.("textarea, input") && event.clipboardData.getData("text/plain");
    if (!writes && receive(event, event.clipboardData)) event.preventDefault();
  });
}
