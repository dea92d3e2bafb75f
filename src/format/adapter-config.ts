export const adapterConfigName = "adapter_config.json";
export const adapterWeightsName = "adapter_model.safetensors";
