# The kernels, compiled by nvcc where there is one and carried inside the program: images.c, generated, is what kernels.h
# calls glm_cuda_images. Nothing of the CUDA toolkit is linked; the driver is opened at run time.
set(GLMV_CUDA AUTO CACHE STRING "Build the CUDA kernels: AUTO (where nvcc is found), ON, OFF")
set_property(CACHE GLMV_CUDA PROPERTY STRINGS AUTO ON OFF)
set(GLMV_CUDA_ARCHS "80;86;89;90a" CACHE STRING "Compute capabilities the kernels are compiled for")

set(cuda_here ${CMAKE_CURRENT_SOURCE_DIR}/glm/cuda)
set(cuda_out ${CMAKE_BINARY_DIR}/model/glm/cuda)
set(cuda_sources "")
if(NOT GLMV_CUDA STREQUAL "OFF")
    find_program(GLMV_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda/bin)
    if(GLMV_NVCC)
        file(GLOB cuda_sources CONFIGURE_DEPENDS ${cuda_here}/*.cu)
    elseif(GLMV_CUDA STREQUAL "ON")
        message(FATAL_ERROR "GLMV_CUDA is ON and nvcc was not found: install the CUDA toolkit, or set GLMV_NVCC")
    endif()
endif()

set(cuda_targets "")
foreach(arch IN LISTS GLMV_CUDA_ARCHS)
    list(APPEND cuda_targets -gencode arch=compute_${arch},code=sm_${arch})
endforeach()
list(APPEND cuda_targets -gencode arch=compute_90,code=compute_90) # newer ones compile this when they load it

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
set(images "#include \"model/glm/cuda/kernels.h\"\n\nconst size_t glm_cuda_image_count = ${count};\n")
if(fatbins) # the assembler takes megabytes in no time, a compiler's array does not
    string(APPEND images "__asm__(\".section .data.rel.ro,\\\"aw\\\"\\n.globl glm_cuda_images\\n.balign 8\\nglm_cuda_images:\\n\"\n${table}"
        "    \".quad 0, 0\\n.section .rodata\\n\"\n${bytes}    \".text\\n\");\n")
else()
    string(APPEND images "const struct glm_cuda_image glm_cuda_images[] = {{NULL, 0}};\n")
endif()
file(CONFIGURE OUTPUT ${cuda_out}/images.c CONTENT "${images}" @ONLY)
set_source_files_properties(${cuda_out}/images.c PROPERTIES OBJECT_DEPENDS "${fatbins}")
target_sources(glmv_model PRIVATE ${cuda_out}/images.c)
