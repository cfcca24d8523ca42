import type { ObjectInfo, ObjectStore } from './object-store.ts';

/** What lies under a prefix of a store (with its slash), as a store of its own. Closing it leaves the other open. */
export function storeAt(store: ObjectStore, prefix: string): ObjectStore {
  const inside = <T extends ObjectInfo>(info: T): T => ({ ...info, key: info.key.slice(prefix.length) });
  return {
    uri: `${store.uri}/${prefix.replace(/\/$/, '')}`,
    async get(key, options) {
      const found = await store.get(prefix + key, options);
      return found && { ...found, info: inside(found.info) };
    },
    async open(key, options) {
      const found = await store.open(prefix + key, options);
      return found && { ...found, info: inside(found.info) };
    },
    put: (key, body, options) => store.put(prefix + key, body, options),
    async head(key, options) {
      const found = await store.head(prefix + key, options);
      return found && inside(found);
    },
    async list(under, options) {
      const { objects, prefixes } = await store.list(prefix + under, options);
      return { objects: objects.map(inside), prefixes: prefixes.map((p) => p.slice(prefix.length)) };
    },
    copy: (from, to, options) => store.copy(prefix + from, prefix + to, options),
    delete: (key, options) => store.delete(prefix + key, options),
    close: async () => undefined,
  };
}
