export function gpuTestEnvironment(): Record<string, string>;
export default function requireAdapter(): void;
