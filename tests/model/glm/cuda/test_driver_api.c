/* Our declarations of the driver's interface against NVIDIA's own, where a toolkit is installed. */
#include <cuda.h>

#include "model/glm/cuda/driver_api.h"
#include "tests/check.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

#define SAME(ours, theirs) CHECK_MSG((int)(ours) == (int)(theirs), "%s", #theirs)

static void test_numbers(void)
{
    SAME(GLM_CU_INVALID_VALUE, CUDA_ERROR_INVALID_VALUE);
    SAME(GLM_CU_OUT_OF_MEMORY, CUDA_ERROR_OUT_OF_MEMORY);
    SAME(GLM_CU_DEINITIALIZED, CUDA_ERROR_DEINITIALIZED);
    SAME(GLM_CU_STUB_LIBRARY, CUDA_ERROR_STUB_LIBRARY);
    SAME(GLM_CU_NEWER_DRIVER, CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER);
    SAME(GLM_CU_DEVICE_UNAVAILABLE, CUDA_ERROR_DEVICE_UNAVAILABLE);
    SAME(GLM_CU_NO_DEVICE, CUDA_ERROR_NO_DEVICE);
    SAME(GLM_CU_INVALID_DEVICE, CUDA_ERROR_INVALID_DEVICE);
    SAME(GLM_CU_INVALID_IMAGE, CUDA_ERROR_INVALID_IMAGE);
    SAME(GLM_CU_NO_BINARY, CUDA_ERROR_NO_BINARY_FOR_GPU);
    SAME(GLM_CU_ECC, CUDA_ERROR_ECC_UNCORRECTABLE);
    SAME(GLM_CU_NVLINK, CUDA_ERROR_NVLINK_UNCORRECTABLE);
    SAME(GLM_CU_NO_COMPILER, CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
    SAME(GLM_CU_UNSUPPORTED_PTX, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    SAME(GLM_CU_COMPILER_OFF, CUDA_ERROR_JIT_COMPILATION_DISABLED);
    SAME(GLM_CU_CONTAINED, CUDA_ERROR_CONTAINED);
    SAME(GLM_CU_NOT_FOUND, CUDA_ERROR_NOT_FOUND);
    SAME(GLM_CU_NOT_READY, CUDA_ERROR_NOT_READY);
    SAME(GLM_CU_ILLEGAL_ADDRESS, CUDA_ERROR_ILLEGAL_ADDRESS);
    SAME(GLM_CU_LAUNCH_RESOURCES, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
    SAME(GLM_CU_LAUNCH_FAILED, CUDA_ERROR_LAUNCH_FAILED);
    SAME(GLM_CU_SYSTEM_NOT_READY, CUDA_ERROR_SYSTEM_NOT_READY);
    SAME(GLM_CU_DRIVER_MISMATCH, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
    SAME(GLM_CU_GRAPH_UPDATE, CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
    SAME(GLM_CU_UNKNOWN, CUDA_ERROR_UNKNOWN);
    SAME(GLM_CU_ATTR_SMS, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    SAME(GLM_CU_ATTR_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    SAME(GLM_CU_ATTR_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    SAME(GLM_CU_FUNC_MAX_DYNAMIC_SHARED, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
    SAME(GLM_CU_STREAM_NON_BLOCKING, CU_STREAM_NON_BLOCKING);
    SAME(GLM_CU_EVENT_NO_TIMING, CU_EVENT_DISABLE_TIMING);
    SAME(GLM_CU_CAPTURE_THREAD_LOCAL, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    SAME(GLM_CU_LAUNCH_SERIALIZATION, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
}

static void test_layouts(void)
{
    CHECK(sizeof(struct glm_cu_launch) == sizeof(CUlaunchConfig));
    CHECK(offsetof(struct glm_cu_launch, shared) == offsetof(CUlaunchConfig, sharedMemBytes));
    CHECK(offsetof(struct glm_cu_launch, stream) == offsetof(CUlaunchConfig, hStream));
    CHECK(offsetof(struct glm_cu_launch, attributes) == offsetof(CUlaunchConfig, attrs));
    CHECK(offsetof(struct glm_cu_launch, attribute_count) == offsetof(CUlaunchConfig, numAttrs));
    CHECK(sizeof(struct glm_cu_launch_attribute) == sizeof(CUlaunchAttribute));
    CHECK(offsetof(struct glm_cu_launch_attribute, value) == offsetof(CUlaunchAttribute, value));
    CHECK(sizeof(struct glm_cu_update_result) == sizeof(CUgraphExecUpdateResultInfo));
    CHECK(sizeof(glm_device_ptr) == sizeof(CUdeviceptr) && sizeof(CUdevice) == sizeof(int));
}

/* The header says by macros which version of a function its declaration means. */
static void test_names(void)
{
    CHECK_STR(TEXT(cuDeviceTotalMem), "cuDeviceTotalMem_v2");
    CHECK_STR(TEXT(cuDevicePrimaryCtxRelease), "cuDevicePrimaryCtxRelease_v2");
    CHECK_STR(TEXT(cuMemGetInfo), "cuMemGetInfo_v2");
    CHECK_STR(TEXT(cuMemAlloc), "cuMemAlloc_v2");
    CHECK_STR(TEXT(cuMemFree), "cuMemFree_v2");
    CHECK_STR(TEXT(cuMemAllocHost), "cuMemAllocHost_v2");
    CHECK_STR(TEXT(cuMemcpyHtoDAsync), "cuMemcpyHtoDAsync_v2");
    CHECK_STR(TEXT(cuMemcpyDtoHAsync), "cuMemcpyDtoHAsync_v2");
    CHECK_STR(TEXT(cuMemcpyDtoDAsync), "cuMemcpyDtoDAsync_v2");
    CHECK_STR(TEXT(cuStreamDestroy), "cuStreamDestroy_v2");
    CHECK_STR(TEXT(cuEventDestroy), "cuEventDestroy_v2");
    CHECK_STR(TEXT(cuStreamBeginCapture), "cuStreamBeginCapture_v2");
    CHECK_STR(TEXT(cuGraphInstantiate), "cuGraphInstantiateWithFlags");
    CHECK_STR(TEXT(cuGraphExecUpdate), "cuGraphExecUpdate_v2");
}

int main(void)
{
    test_numbers();
    test_layouts();
    test_names();
    TEST_END();
}
