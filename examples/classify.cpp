// classify MODEL FILE.raw: which word is in a clip (16 kHz, 32-bit floats), in C++.
//
//   c++ classify.cpp $(pkg-config --cflags --libs kws) -o classify
#include <kws/kws.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

int main(int argc, char **argv)
{
	kws_error err = {"usage: classify MODEL FILE.raw"};
	kws_model *opened = nullptr;
	kws_classifier *made = nullptr;
	if (argc != 3 || kws_model_open(&opened, argv[1], &err) != KWS_OK)
		return std::fprintf(stderr, "%s\n", err.text), 1;
	const std::unique_ptr<kws_model, decltype(&kws_model_close)> model(opened, kws_model_close);
	if (kws_classifier_create(&made, opened, 16000, false, &err) != KWS_OK)
		return std::fprintf(stderr, "%s\n", err.text), 1;
	const std::unique_ptr<kws_classifier, decltype(&kws_classifier_destroy)> classifier(made, kws_classifier_destroy);

	std::ifstream file(argv[2], std::ios::binary);
	const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
	std::vector<float> pcm(bytes.size() / sizeof(float)), prob(kws_model_n_words(opened));
	std::copy_n(bytes.begin(), pcm.size() * sizeof(float), reinterpret_cast<char *>(pcm.data()));
	kws_classifier_process(made, pcm.data(), pcm.size());
	kws_classifier_finish(made, prob.data());
	const auto best = static_cast<std::size_t>(std::max_element(prob.begin(), prob.end()) - prob.begin());
	std::printf("%s %.4f\n", kws_model_word(opened, best), static_cast<double>(prob[best]));
	return 0;
}
