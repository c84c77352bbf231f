# The kernels, compiled by nvcc where there is one and carried inside the program: images.c, generated, is what kernels.h
# calls glm_cuda_images. Nothing of the CUDA toolkit is linked; the driver is opened at run time.
set(GLMV_CUDA AUTO CACHE STRING "Build the CUDA kernels: AUTO (where nvcc is found), ON, OFF")
set_property(CACHE GLMV_CUDA PROPERTY STRINGS AUTO ON OFF)
set(GLMV_CUDA_ARCHS "80;86;89;90a" CACHE STRING "Compute capabilities the kernels are compiled for")

set(cuda_here ${CMAKE_CURRENT_SOURCE_DIR}/glm/cuda)
set(cuda_out ${CMAKE_BINARY_DIR}/model/glm/cuda)
set(cuda_targets "")
foreach(arch IN LISTS GLMV_CUDA_ARCHS)
    list(APPEND cuda_targets -gencode arch=compute_${arch},code=sm_${arch})
endforeach()
list(APPEND cuda_targets -gencode arch=compute_90,code=compute_90) # newer ones compile this when they load it

# An nvcc that is too old for a target, or has no host compiler, is as good as none.
set(cuda_sources "")
if(NOT GLMV_CUDA STREQUAL "OFF")
    find_program(GLMV_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda/bin)
    if(GLMV_NVCC AND NOT "${GLMV_NVCC_TRIED}" STREQUAL "${GLMV_NVCC} ${GLMV_CUDA_ARCHS}")
        file(WRITE ${cuda_out}/try.cu "__global__ void nothing() {}\n")
        execute_process(COMMAND ${GLMV_NVCC} -fatbin -std=c++17 ${cuda_targets} -o ${cuda_out}/try.out ${cuda_out}/try.cu
            RESULT_VARIABLE cuda_result OUTPUT_VARIABLE cuda_said ERROR_VARIABLE cuda_said)
        if(cuda_result EQUAL 0)
            set(GLMV_NVCC_TRIED "${GLMV_NVCC} ${GLMV_CUDA_ARCHS}" CACHE INTERNAL "What was found to work")
        endif()
    endif()
    if("${GLMV_NVCC_TRIED}" STREQUAL "${GLMV_NVCC} ${GLMV_CUDA_ARCHS}")
        file(GLOB cuda_sources CONFIGURE_DEPENDS ${cuda_here}/*.cu)
    elseif(GLMV_CUDA STREQUAL "ON")
        message(FATAL_ERROR "GLMV_CUDA is ON and no nvcc that compiles for ${GLMV_CUDA_ARCHS} was found (CUDA 12 or newer; "
            "set GLMV_NVCC or GLMV_CUDA_ARCHS). ${GLMV_NVCC} said: ${cuda_said}")
    elseif(GLMV_NVCC)
        message(STATUS "No CUDA kernels: ${GLMV_NVCC} does not compile for ${GLMV_CUDA_ARCHS}: ${cuda_said}")
    else()
        message(STATUS "No CUDA kernels: nvcc was not found")
    endif()
endif()

file(GLOB cuda_headers CONFIGURE_DEPENDS ${cuda_here}/*.cuh)
set(table "")
set(bytes "")
set(fatbins "")
foreach(source IN LISTS cuda_sources)
    get_filename_component(stem ${source} NAME_WE)
    set(fatbin ${cuda_out}/${stem}.fatbin)
    add_custom_command(OUTPUT ${fatbin}
        COMMAND ${GLMV_NVCC} -fatbin -std=c++17 -O3 --threads 2 ${cuda_targets} -I${CMAKE_SOURCE_DIR} -o ${fatbin} ${source}
        DEPENDS ${source} ${cuda_headers} ${cuda_here}/kernels.h COMMENT "Compiling the kernels of ${stem}.cu" VERBATIM)
    list(APPEND fatbins ${fatbin})
    string(APPEND table "    \".quad image_${stem}, end_${stem} - image_${stem}\\n\"\n")
    string(APPEND bytes "    \".balign 64\\nimage_${stem}: .incbin \\\"${fatbin}\\\"\\nend_${stem}:\\n\"\n")
endforeach()
list(LENGTH fatbins count)
set(wide 0)
if("90a" IN_LIST GLMV_CUDA_ARCHS)
    set(wide 1)
endif()
set(images "#include \"model/glm/cuda/kernels.h\"\n\nconst size_t glm_cuda_image_count = ${count};\nconst int glm_cuda_image_wide = ${wide};\n")
if(fatbins) # the assembler takes megabytes in no time, a compiler's array does not
    string(APPEND images "__asm__(\".section .data.rel.ro,\\\"aw\\\"\\n.globl glm_cuda_images\\n.balign 8\\nglm_cuda_images:\\n\"\n${table}"
        "    \".quad 0, 0\\n.section .rodata\\n\"\n${bytes}    \".text\\n\");\n")
else()
    string(APPEND images "const struct glm_cuda_image glm_cuda_images[] = {{NULL, 0}};\n")
endif()
file(CONFIGURE OUTPUT ${cuda_out}/images.c CONTENT "${images}" @ONLY)
set_source_files_properties(${cuda_out}/images.c PROPERTIES OBJECT_DEPENDS "${fatbins}")
target_sources(glmv_model PRIVATE ${cuda_out}/images.c)
