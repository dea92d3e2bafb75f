/** The private file system answers within milliseconds; one that was cleared under open files may never answer. */
const patienceMs = 10_000;

/** The promise, or a TimeoutError where it takes longer than any healthy disk does. */
export async function answered<T>(promise: Promise<T>, waitMs = patienceMs): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new DOMException(`the file system did not answer for ${waitMs / 1000} s`, "TimeoutError");
    timer = setTimeout(() => reject(error), waitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
