type Environment = Readonly<Record<string, string | undefined>>;

export function gpuEnvironment(base?: Environment, systemHasVulkan?: () => boolean): Record<string, string>;
export function findSwiftShader(base?: Environment): string | undefined;
export function hasGpuHardware(): boolean;
