import type { ChunkStore } from "./chunk-store.ts";
import type { CommitPins } from "./hub-files.ts";
import { hubId, isCommit } from "./source-spec.ts";

/** Name under which the commit of a branch or tag is kept. */
const pinName = "commit";

/** Commits kept beside the stored models. One whose model is not stored any more counts as unknown. */
export function createCommitPins(store: Pick<ChunkStore, "getText" | "putText" | "getModel">): CommitPins {
  return {
    async get(repo, storedAs) {
      const revision = await store.getText(hubId(repo), pinName);
      if (revision === undefined || !isCommit(revision)) return undefined;
      const model = await store.getModel(storedAs ?? hubId({ ...repo, revision }));
      return model === undefined ? undefined : revision;
    },
    set: (repo, commit) => store.putText(hubId(repo), pinName, commit),
  };
}
