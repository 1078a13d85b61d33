// use.cc - a program in C++: opens a run of toys, draws, and prints the first number of a sample. RUN PLUGIN-FOLDER.
#include <mmcore/mmcore.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	mm_error e = MM_ERROR_INIT;
	mm_open_options options = MM_OPEN_OPTIONS_INIT;
	options.plugin_path = argv[2];
	options.threads = 1;
	mm_model *opened = nullptr;
	if (mm_model_open(argv[1], &options, &opened, &e) != MM_OK) {
		std::fprintf(stderr, "%s\n", e.message);
		return 1;
	}
	const std::unique_ptr<mm_model, void (*)(mm_model *)> model(opened, mm_model_close);
	mm_model_about about{};
	about.struct_size = sizeof about;
	mm_modality_about modality{};
	modality.struct_size = sizeof modality;
	if (mm_model_describe(model.get(), &about, &e) != MM_OK || mm_model_modality(model.get(), 0, &modality, &e) != MM_OK)
		return 1;
	std::vector<float> x(4 * modality.floats);
	std::vector<float *> samples(about.n_modalities, nullptr);
	samples[0] = x.data();
	int calls = 0;
	mm_options how = MM_OPTIONS_INIT;
	how.progress_ctx = &calls;
	how.progress = [](void *ctx, std::uint64_t, std::uint64_t) -> std::int32_t { return ++*static_cast<int *>(ctx), 0; };
	if (mm_model_sample(model.get(), 4, &how, samples.data(), nullptr, &e) != MM_OK) {
		std::fprintf(stderr, "%s\n", e.message);
		return 1;
	}
	std::printf("%s: %d calls, %.9g\n", modality.name, calls, static_cast<double>(x[0]));
	return 0;
}
