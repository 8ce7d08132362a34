// EM by Armadillo from a given start: CPU seconds per iteration, as the difference of two iteration counts.
//
//     armadillo full|diag DATA START ROWS COLUMNS K FEW MANY
//
// DATA holds columns × rows of doubles, a row's values together; START the weights, the means and the
// covariances (of diag: the variances), a component's values together. Prints the seconds per
// iteration, and the log-likelihood after MANY iterations.

#include <armadillo>
#include <ctime>
#include <iostream>
#include <string>

using namespace arma;

double cpu() { return double(std::clock()) / CLOCKS_PER_SEC; }

mat read(const std::string& file, uword rows, uword columns) {
  mat values;
  if (!values.load(file, raw_binary)) throw std::runtime_error("cannot read " + file);
  values.reshape(rows, columns);
  return values;
}

void begin(gmm_full& model, const rowvec& weights, const mat& means, const vec& rest) {
  const uword d = means.n_rows, k = means.n_cols;
  model.set_params(means, cube(rest.memptr(), d, d, k), weights);
}

void begin(gmm_diag& model, const rowvec& weights, const mat& means, const vec& rest) {
  model.set_params(means, mat(rest.memptr(), means.n_rows, means.n_cols), weights);
}

template <typename Model>
void run(const mat& data, const vec& start, uword k, uword few, uword many) {
  const uword d = data.n_rows, counts[2] = {few, many};
  const rowvec weights = start.head(k).t();
  const mat means(start.memptr() + k, d, k);
  const vec rest = start.tail(start.n_elem - k - d * k);
  double seconds[2], log_likelihood = 0;
  for (int i = 0; i < 2; ++i) {
    Model model;
    begin(model, weights, means, rest);
    const double begun = cpu();
    if (!model.learn(data, k, maha_dist, keep_existing, 0, counts[i], 1e-10, false))
      throw std::runtime_error("learning failed");
    seconds[i] = cpu() - begun;
    log_likelihood = model.sum_log_p(data);
  }
  std::cout.precision(17);
  std::cout << (seconds[1] - seconds[0]) / double(many - few) << ' ' << log_likelihood << '\n';
}

int main(int, char** words) {
  const std::string structure = words[1];
  const uword n = std::stoul(words[4]), d = std::stoul(words[5]), k = std::stoul(words[6]);
  const mat data = read(words[2], d, n);
  vec start;
  if (!start.load(words[3], raw_binary)) throw std::runtime_error("cannot read the start");
  const uword few = std::stoul(words[7]), many = std::stoul(words[8]);
  if (structure == "full") run<gmm_full>(data, start, k, few, many);
  else run<gmm_diag>(data, start, k, few, many);
}
